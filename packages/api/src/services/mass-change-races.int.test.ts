import { noPolicy } from '@postrider/shared/domain/delivery-policy';
import { randomUUID } from 'node:crypto';
import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { moveOrganizationSubscriptions } from '@postrider/shared/database/queries/move-organization-subscriptions';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { releaseRequestAttempts } from '@postrider/shared/database/queries/release-request-attempts';
import { renewLeases } from '@postrider/shared/database/queries/renew-leases';
import { updateSubscription } from '@postrider/shared/database/queries/update-subscription';
import { parseSecretsKey } from '@postrider/shared/secrets/sealed-secret';
import { unlimited } from '@postrider/shared/domain/quotas';
import { testSecretsKey } from '@postrider/testkit/postrider-processes';
import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { eventually } from '@postrider/testkit/eventually';
import { outcomeOf } from '@postrider/testkit/outcomes';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createAudit } from './audit.ts';
import { sweepStrandedAttempts } from './housekeeping/sweep.ts';
import { ingestGroup, prepareEvent } from './ingest-events.ts';
import { settleSubscriptions } from './settle-subscription.ts';
import { removeApplication } from './write-application.ts';
import { createSubscription } from './write-subscription.ts';

const rounds = 15;
const notifier = { notify() {}, flush: () => Promise.resolve() };
let database: TestDatabase;

/** Every attempt that was ever in the queue, whoever put it there. */
const witnessSql = `
create table webhook.witness (request_attempt_id uuid primary key, subscription_id uuid not null, created_at timestamptz not null);
create function webhook.remember_attempt() returns trigger language plpgsql security definer as $$
begin
  insert into webhook.witness values (new.request_attempt_id, new.subscription_id, new.created_at);
  return null;
end $$;
create trigger remember_attempt after insert on webhook.open_attempt for each row execute function webhook.remember_attempt();
`;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  await database.admin.query({ text: witnessSql });
});
afterAll(() => database.drop());

interface Given {
  readonly application: TestApplication;
  /** The one that is changed, and another that goes on. */
  readonly changedId: string;
  readonly otherId: string;
}

async function givenTwoBacklogs(): Promise<Given> {
  const application = await insertApplication(database.admin);
  const changed = await insertSubscription(database.admin, application);
  const other = await insertSubscription(database.admin, application);
  await insertBacklog(database.admin, application, changed, { count: 400, payloadBytes: 16 });
  await insertBacklog(database.admin, application, other, { count: 100, payloadBytes: 16 });
  return { application, changedId: changed.subscriptionId, otherId: other.subscriptionId };
}

/** Claims, renews, gives back and records until it is told to stop; every statement as it is, so that a deadlock fails the test. */
async function work(goesOn: () => boolean, delivered: Set<string>): Promise<void> {
  while (goesOn()) {
    const leaseId = randomUUID();
    const claimed = await claimRequestAttempts(database.db, {
      poolId: 0,
      lane: 0,
      leaseId,
      leaseMs: 60_000,
      limit: 40,
      workerProcessId: 1,
      dueFromMicros: 0,
    });
    const held = claimed.attempts.map((attempt) => ({ ...attempt, leaseId }));
    const released = held.filter((_attempt, index) => index % 8 === 0);
    const recorded = held.filter((_attempt, index) => index % 8 !== 0);
    // Renewed while they are being recorded, as happens to what starts just then, and in another order.
    await Promise.all([
      renewLeases(database.db, recorded.toReversed(), 60_000),
      record(recorded.slice(0, 20), delivered),
      record(recorded.slice(20), delivered),
      releaseRequestAttempts(database.db, released),
    ]);
    await record(
      recorded.filter(({ requestAttemptId }) => !delivered.has(requestAttemptId)),
      delivered,
    );
  }
}

async function record(attempts: readonly { applicationId: string; requestAttemptId: string; leaseId: string }[], delivered: Set<string>) {
  const outcomes = attempts.map((attempt, index) =>
    index % 3 === 0
      ? outcomeOf(attempt, { succeeded: false, httpCode: 500, errorName: 'E_HTTP', retryDelayMs: 0, retryCount: 1 })
      : outcomeOf(attempt),
  );
  const ids = await recordOutcomes(database.db, outcomes);
  for (const { requestAttemptId, succeeded } of outcomes) {
    if (succeeded && ids.has(requestAttemptId)) {
      delivered.add(requestAttemptId);
    }
  }
}

const audit = createAudit({ actor: { kind: 'master', id: null }, ip: null, requestId: null, action: 'tests.change' });

async function ingest({ application }: Given, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const events = Array.from({ length: 10 }, () =>
      prepareEvent({
        applicationId: application.applicationId,
        eventId: null,
        eventTypeName: application.eventTypeName,
        payload: Buffer.from('{}'),
        payloadContentType: 'application/json',
        occurredAt: new Date('2026-01-01T00:00:00Z'),
        labels: {},
        metadata: {},
        ip: null,
        applicationSecretId: null,
      }),
    );
    await ingestGroup(database.db, events, false);
  }
}

function setEnabled({ changedId }: Given, isEnabled: boolean): Promise<void> {
  const target = { method: 'POST', url: 'http://127.0.0.1:9/', headers: {} };
  return updateSubscription(database.db, {
    subscriptionId: changedId,
    isEnabled,
    description: null,
    labels: {},
    metadata: {},
    target,
    poolId: 0,
    policy: noPolicy,
  });
}

/** What the database says of one subscription when everybody has stopped. */
async function endsOf(subscriptionId: string) {
  const { rows } = await database.admin.query<{
    request_attempt_id: string;
    ends: number;
    is_open: boolean;
    is_successful: boolean;
    is_cancelled: boolean;
  }>({
    text: `select w.request_attempt_id, count(f.request_attempt_id)::integer as ends, bool_or(o.request_attempt_id is not null) as is_open,
                  coalesce(bool_or(f.succeeded_at is not null), false) as is_successful,
                  coalesce(bool_or(f.reason = 'cancelled'), false) as is_cancelled
           from webhook.witness w
           left join webhook.finished_attempt f on f.request_attempt_id = w.request_attempt_id
           left join webhook.open_attempt o on o.request_attempt_id = w.request_attempt_id
           where w.subscription_id = $1
           group by w.request_attempt_id`,
    values: [subscriptionId],
  });
  return rows;
}

const changes: readonly (readonly [name: string, change: (given: Given) => Promise<unknown>, endsOther: boolean])[] = [
  ['disabling', (given) => setEnabled(given, false), false],
  ['disabling for a 410', (given) => disableGoneSubscriptions(database.db, [given.changedId]), false],
  ['deleting', (given) => deleteSubscription(database.db, given.application.applicationId, given.changedId), false],
  ['deleting the application', (given) => deleteApplication(database.db, given.application.applicationId), true],
];

test.each(changes)(
  '%s amid ingest, claims, renewals, records and sweeps loses, repeats and strands nothing',
  async (_name, change, endsOther) => {
    for (let round = 0; round < rounds; round += 1) {
      const given = await givenTwoBacklogs();
      const delivered = new Set<string>();
      let running = true;
      const goesOn = (): boolean => running;
      const others = [work(goesOn, delivered), work(goesOn, delivered), ingest(given, goesOn), ingest(given, goesOn)];
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

      const ends = await endsOf(given.changedId);
      expect(ends.length).toBeGreaterThanOrEqual(400);
      expect(ends.filter((attempt) => attempt.is_open || attempt.ends !== 1)).toEqual([]);
      expect(ends.filter((attempt) => attempt.is_successful !== delivered.has(attempt.request_attempt_id))).toEqual([]);
      const otherEnds = await endsOf(given.otherId);
      expect(otherEnds.filter((attempt) => attempt.ends !== (attempt.is_open ? 0 : 1))).toEqual([]);
      expect(otherEnds.some((attempt) => attempt.is_cancelled || (endsOther && attempt.is_open))).toBe(endsOther);
      await database.admin.query({ text: 'truncate webhook.open_attempt, webhook.witness' });
    }
    const { rows } = await database.admin.query({
      text: 'select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()',
    });
    expect(rows).toEqual([{ deadlocks: 0 }]);
  },
);

test('disabling and enabling again amid the same sends nothing that had read as failed', async () => {
  for (let round = 0; round < rounds; round += 1) {
    const given = await givenTwoBacklogs();
    let running = true;
    const goesOn = (): boolean => running;
    const others = [ingest(given, goesOn), ingest(given, goesOn)];
    const failedFirst = (async () => {
      await setEnabled(given, false);
      const { rows } = await database.db.query<{ request_attempt_id: string }>({
        text: "select request_attempt_id from webhook.request_attempt where subscription_id = $1 and status = 'failed'",
        values: [given.changedId],
      });
      await setEnabled(given, true);
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
