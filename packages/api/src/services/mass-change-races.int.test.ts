import { noPolicy } from '@postrider/shared/domain/delivery-policy';
import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { moveOrganizationSubscriptions } from '@postrider/shared/database/queries/move-organization-subscriptions';
import { parseSecretsKey } from '@postrider/shared/secrets/sealed-secret';
import { unlimited } from '@postrider/shared/domain/quotas';
import { testSecretsKey } from '@postrider/testkit/postrider-processes';
import { insertApplication, insertSubscription } from '@postrider/testkit/factories';
import { eventually } from '@postrider/testkit/eventually';
import { openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import {
  createWitnessedDatabase,
  endsOf,
  expectNoDeadlocks,
  givenTwoBacklogs,
  ingest,
  setEnabled,
  type TwoBacklogs,
  work,
} from '../testing/queue-races.ts';
import { createAudit } from './audit.ts';
import { sweepStrandedAttempts } from './housekeeping/sweep.ts';
import { settleSubscriptions } from './settle-subscription.ts';
import { removeApplication } from './write-application.ts';
import { createSubscription } from './write-subscription.ts';

const rounds = 15;
const notifier = { notify() {}, flush: () => Promise.resolve() };
let database: TestDatabase;

beforeAll(async () => {
  database = await createWitnessedDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

const audit = createAudit({ actor: { kind: 'master', id: null }, ip: null, requestId: null, action: 'tests.change' });

const changes: readonly (readonly [name: string, change: (given: TwoBacklogs) => Promise<unknown>, endsOther: boolean])[] = [
  ['disabling', (given) => setEnabled(database, given, false), false],
  ['disabling for a 410', (given) => disableGoneSubscriptions(database.db, [given.changedId]), false],
  ['deleting', (given) => deleteSubscription(database.db, given.application.applicationId, given.changedId), false],
  ['deleting the application', (given) => deleteApplication(database.db, given.application.applicationId), true],
];

test.each(changes)(
  '%s amid ingest, claims, renewals, records and sweeps loses, repeats and strands nothing',
  async (_name, change, endsOther) => {
    for (let round = 0; round < rounds; round += 1) {
      const given = await givenTwoBacklogs(database);
      const delivered = new Set<string>();
      let running = true;
      const goesOn = (): boolean => running;
      const others = [
        work(database, goesOn, delivered),
        work(database, goesOn, delivered),
        ingest(database, given, goesOn),
        ingest(database, given, goesOn),
      ];
      const changed = (async () => {
        // Each round meets the others at another point of their work.
        await eventually(() => delivered.size >= round * 20, { intervalMs: 1 });
        await change(given);
        await Promise.all([
          settleSubscriptions(database.db, notifier, [given.changedId, given.otherId]),
          sweepStrandedAttempts(database.db, notifier),
          sweepStrandedAttempts(database.db, notifier),
        ]);
        running = false;
      })();
      await Promise.all([changed, ...others]);

      await sweepStrandedAttempts(database.db, notifier);

      const ends = await endsOf(database, given.changedId);
      expect(ends.length).toBeGreaterThanOrEqual(400);
      expect(ends.filter((attempt) => attempt.is_open || attempt.ends !== 1)).toEqual([]);
      expect(ends.filter((attempt) => attempt.is_successful !== delivered.has(attempt.request_attempt_id))).toEqual([]);
      const otherEnds = await endsOf(database, given.otherId);
      expect(otherEnds.filter((attempt) => attempt.ends !== (attempt.is_open ? 0 : 1))).toEqual([]);
      expect(otherEnds.some((attempt) => attempt.is_cancelled || (endsOther && attempt.is_open))).toBe(endsOther);
      await database.admin.query({ text: 'truncate webhook.open_attempt, webhook.witness' });
    }
    await expectNoDeadlocks(database);
  },
);

test('disabling and enabling again amid the same sends nothing that had read as failed', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const given = await givenTwoBacklogs(database);
    let running = true;
    const goesOn = (): boolean => running;
    const others = [ingest(database, given, goesOn), ingest(database, given, goesOn)];
    const failedFirst = (async () => {
      await setEnabled(database, given, false);
      const { rows } = await database.db.query<{ request_attempt_id: string }>({
        text: "select request_attempt_id from webhook.request_attempt where subscription_id = $1 and status = 'failed'",
        values: [given.changedId],
      });
      await setEnabled(database, given, true);
      running = false;
      return rows.map((row) => row.request_attempt_id);
    })();
    await Promise.all(others);
    const { rows } = await database.db.query<{ request_attempt_id: string }>({
      text: "select request_attempt_id from webhook.request_attempt where request_attempt_id = any ($1) and status <> 'failed'",
      values: [await failedFirst],
    });
    expect(rows).toEqual([]);
    await database.admin.query({ text: 'truncate webhook.open_attempt, webhook.witness' });
  }
});

test('no subscription outlives the application that it is being written for', async () => {
  const secretsKey = parseSecretsKey(testSecretsKey);
  if (!secretsKey) throw new Error('the key of tests is not a key');
  for (let round = 0; round < rounds; round += 1) {
    const { applicationId, eventTypeName } = await insertApplication(database.admin);
    const wanted = {
      applicationId,
      isEnabled: true,
      eventTypes: [eventTypeName],
      description: null,
      labels: {},
      metadata: {},
      target: { method: 'POST', url: 'http://127.0.0.1:9/', headers: {} },
      policy: noPolicy,
      dedicatedWorkers: [],
      limit: unlimited,
    };
    const create = () => createSubscription(database.db, audit, secretsKey, wanted);
    await Promise.all([create(), create(), create(), removeApplication(database.db, audit, applicationId), create(), create()]);
    const { rows } = await database.admin.query({
      text: 'select subscription_id from webhook.subscription where application_id = $1 and deleted_at is null',
      values: [applicationId],
    });
    expect(rows).toEqual([]);
  }
});

test('changes of many subscriptions at once take them in one order', async () => {
  const application = await insertApplication(database.admin);
  const ids = await Promise.all(
    Array.from({ length: 300 }, async () => (await insertSubscription(database.admin, application)).subscriptionId),
  );
  const { rows } = await database.admin.query<{ pool_id: number }>({
    text: 'insert into webhook.worker_pool (worker_ids) values (array[gen_random_uuid()]) returning pool_id',
  });
  const poolIds = [0, rows[0]?.pool_id ?? 0];
  // On a large table some of these statements would read by index and some as the rows lie, which is in another order here.
  const byIndex = openTestPool(`${database.runtimeUrl}?options=-c%20enable_seqscan%3Doff%20-c%20enable_bitmapscan%3Doff`);
  for (let round = 0; round < rounds; round += 1) {
    for (const id of ids.toReversed()) {
      await database.admin.query({
        text: 'update webhook.subscription set disabled_at = null, disabled_reason = null, deleted_at = null where subscription_id = $1',
        values: [id],
      });
    }
    await Promise.all([
      disableGoneSubscriptions(byIndex, ids),
      disableGoneSubscriptions(database.db, ids),
      moveOrganizationSubscriptions(byIndex, application.organizationId, poolIds[round % 2] ?? 0),
      moveOrganizationSubscriptions(database.db, application.organizationId, poolIds[(round + 1) % 2] ?? 0),
      deleteApplication(database.db, application.applicationId),
    ]);
  }
  await byIndex.end();
});
