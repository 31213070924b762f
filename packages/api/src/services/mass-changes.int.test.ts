import { noPolicy } from '@postrider/shared/domain/delivery-policy';
import { randomUUID } from 'node:crypto';
import { type ClaimedBatch, claimRequestAttempts, type SkippedAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { findRequestAttempt } from '@postrider/shared/database/queries/find-request-attempt';
import type { RequestAttemptRow } from '@postrider/shared/database/queries/list-request-attempts';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { updateSubscription } from '@postrider/shared/database/queries/update-subscription';
import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { outcomeOf } from '@postrider/testkit/outcomes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { listRequestAttemptsPage, type RequestAttemptsPageRequest } from './list-request-attempts-page.ts';
import { settleSubscriptions } from './settle-subscription.ts';

let database: TestDatabase;
const notifier = { notify() {}, flush: () => Promise.resolve() };

interface Given {
  readonly application: TestApplication;
  readonly subscriptionId: string;
}

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterEach(() => database.drop());

async function givenBacklog(count: number): Promise<Given> {
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application);
  await insertBacklog(database.admin, application, subscription, { count, payloadBytes: 16 });
  return { application, subscriptionId: subscription.subscriptionId };
}

/** Half of the backlog waits for a retry that is far away. */
async function givenMixedBacklog(count: number): Promise<Given> {
  const given = await givenBacklog(count / 2);
  const subscription = { subscriptionId: given.subscriptionId, secret: '' };
  await insertBacklog(database.admin, given.application, subscription, { count: count / 2, payloadBytes: 16, dueInMs: 3_600_000 });
  return given;
}

function setEnabled({ subscriptionId }: Given, isEnabled: boolean): Promise<void> {
  return updateSubscription(database.db, {
    subscriptionId,
    isEnabled,
    description: null,
    labels: {},
    metadata: {},
    target: { method: 'POST', url: 'http://127.0.0.1:9/', headers: {} },
    poolId: 0,
    policy: noPolicy,
  });
}

async function claim({ subscriptionId }: Given, limit: number) {
  const leaseId = randomUUID();
  const { attempts } = await claimRequestAttempts(database.db, {
    poolId: 0,
    lane: 0,
    leaseId,
    leaseMs: 60_000,
    limit,
    workerProcessId: 1,
    dueFromMicros: 0,
  });
  expect(attempts.every((attempt) => attempt.subscriptionId === subscriptionId)).toBe(true);
  return attempts.map((attempt) => ({ ...attempt, leaseId }));
}

/** What the next claim skips after this one. */
function skippedOf({ passedOver }: ClaimedBatch): SkippedAttempts {
  return {
    subscriptionIds: passedOver.map(({ subscriptionId }) => subscriptionId),
    cancelledUntil: passedOver.map(({ cancelledUntil }) => cancelledUntil),
    isPaused: passedOver.map(({ isPaused }) => isPaused),
  };
}

async function list({ application }: Given, changes: Partial<RequestAttemptsPageRequest> = {}): Promise<readonly RequestAttemptRow[]> {
  const filter = { eventId: null, subscriptionId: null, eventTypeNames: null, minCreatedAt: null, maxCreatedAt: null, statuses: null };
  const request = { applicationId: application.applicationId, ...filter, after: null, size: 1000, ...changes };
  return (await listRequestAttemptsPage(database.db, request)).attempts;
}

function find({ application }: Given, requestAttemptId: string): Promise<RequestAttemptRow | undefined> {
  return findRequestAttempt(database.db, { applicationId: application.applicationId, requestAttemptId });
}

async function countOpen({ subscriptionId }: Given): Promise<number> {
  const { rowCount } = await database.admin.query({
    text: 'select from webhook.open_attempt where subscription_id = $1',
    values: [subscriptionId],
  });
  return rowCount ?? 0;
}

const ways: readonly (readonly [name: string, change: (given: Given) => Promise<unknown>])[] = [
  ['disabling', (given) => setEnabled(given, false)],
  ['disabling for a 410', (given) => disableGoneSubscriptions(database.db, [given.subscriptionId])],
  ['deleting', (given) => deleteSubscription(database.db, given.application.applicationId, given.subscriptionId)],
  ['deleting the application', (given) => deleteApplication(database.db, given.application.applicationId)],
  [
    'disabling and then deleting',
    async (given) => {
      await setEnabled(given, false);
      await deleteSubscription(database.db, given.application.applicationId, given.subscriptionId);
    },
  ],
  [
    'disabling and then enabling',
    async (given) => {
      await setEnabled(given, false);
      await setEnabled(given, true);
    },
  ],
];

describe.each(ways)('%s', (_name, change) => {
  test('ends what waits at that moment, and nothing about it changes when the rows are worked off', async () => {
    const given = await givenMixedBacklog(40);

    const before = await list(given);
    await change(given);
    const changed = await list(given);
    await settleSubscriptions(database.db, notifier, [given.subscriptionId]);

    expect(new Set(before.map(({ status }) => status))).toEqual(new Set(['waiting', 'pending']));
    expect(changed).toHaveLength(40);
    for (const attempt of changed) {
      expect(attempt).toMatchObject({ status: 'failed', reason: 'cancelled', succeeded_at: null, picked_at: null, response_id: null });
      expect(attempt.failed_at?.getTime()).toBeGreaterThanOrEqual(attempt.created_at.getTime());
    }
    expect(await list(given)).toEqual(changed);
    expect(await countOpen(given)).toBe(0);
  });

  test('shows them by their new status only', async () => {
    const given = await givenMixedBacklog(10);
    await change(given);
    const [first] = await list(given);
    expect(await list(given, { statuses: ['waiting', 'pending', 'in_progress'] })).toEqual([]);
    expect(await list(given, { statuses: ['failed'] })).toHaveLength(10);
    expect(first).toMatchObject((await find(given, first?.request_attempt_id ?? '')) ?? {});
    expect(first?.status).toBe('failed');
    await settleSubscriptions(database.db, notifier, [given.subscriptionId]);
  });

  test('leaves what is in flight to its worker, which records what came of it and does not try again', async () => {
    const given = await givenBacklog(20);
    const [succeeds, fails] = await claim(given, 2);
    if (!succeeds || !fails) throw new Error('nothing claimed');

    await change(given);
    await settleSubscriptions(database.db, notifier, [given.subscriptionId]);
    const inFlight = await list(given, { statuses: ['in_progress'] });
    await recordOutcomes(database.db, [
      outcomeOf(succeeds),
      outcomeOf(fails, { succeeded: false, httpCode: 500, errorName: 'E_HTTP', retryDelayMs: 0, retryCount: 1 }),
    ]);

    expect(inFlight).toHaveLength(2);
    expect(await list(given, { statuses: ['successful'] })).toMatchObject([{ request_attempt_id: succeeds.requestAttemptId }]);
    expect(await find(given, fails.requestAttemptId)).toMatchObject({ status: 'failed', reason: 'cancelled', http_response_status: 500 });
    expect(await countOpen(given)).toBe(0);
  });
});

test('what an ingest commits that had not seen the disabling is not sent, even when the subscription is enabled before it is worked off', async () => {
  const given = await givenBacklog(0);
  await setEnabled(given, false);
  const subscription = { subscriptionId: given.subscriptionId, secret: '' };
  await insertBacklog(database.admin, given.application, subscription, { count: 3, payloadBytes: 16 });
  const read = await list(given);

  await setEnabled(given, true);
  await insertBacklog(database.admin, given.application, subscription, { count: 2, payloadBytes: 16 });
  const readAgain = await list(given);
  await settleSubscriptions(database.db, notifier, [given.subscriptionId]);

  expect(read.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
  expect(readAgain.slice(2)).toEqual(read);
  expect(readAgain.slice(0, 2).map(({ status }) => status)).toEqual(['pending', 'pending']);
  expect(await countOpen(given)).toBe(2);
});

test('a claim passes over what is being cancelled, and says so', async () => {
  const given = await givenBacklog(30);
  const other = await givenBacklog(5);
  const base = { poolId: 0, lane: 0, leaseId: randomUUID(), leaseMs: 0, workerProcessId: 1, dueFromMicros: 0 };
  await setEnabled(given, false);
  const { rows } = await database.admin.query<{ now: number }>({
    text: 'select extract(epoch from statement_timestamp())::integer as now',
  });

  const first = await claimRequestAttempts(database.db, { ...base, limit: 20 });
  const second = await claimRequestAttempts(database.db, { ...base, limit: 20, skipped: skippedOf(first) });
  await setEnabled(given, true);
  const third = await claimRequestAttempts(database.db, { ...base, limit: 100 });

  const { subscriptionId } = given;
  expect(first).toMatchObject({ attempts: [], seen: 20, passedOver: [{ subscriptionId, cancelledUntil: 'infinity', isPaused: false }] });
  expect(Math.abs((first.passedOver[0]?.asOfMicros ?? 0) / 1_000_000 - (rows[0]?.now ?? 0))).toBeLessThan(60);
  expect(second.attempts.map((attempt) => attempt.subscriptionId)).toEqual(Array.from({ length: 5 }, () => other.subscriptionId));
  expect(second).toMatchObject({ seen: 5, passedOver: [] });
  expect(third.attempts).toHaveLength(5);
  expect(third).toMatchObject({ seen: 35, passedOver: [{ subscriptionId }] });
  expect(third.passedOver[0]?.cancelledUntil).not.toBe('infinity');
  expect(await list(given, { statuses: ['failed'] })).toHaveLength(30);
});

async function readFromQueue(): Promise<number> {
  // Each connection hands its counters over when it is asked to, or when it ends.
  await Promise.all(Array.from({ length: 5 }, () => database.db.query({ text: 'select pg_stat_force_next_flush()' })));
  const { rows } = await database.admin.query<{ count: number }>({
    text: "select (seq_tup_read + idx_tup_fetch)::integer as count from pg_stat_user_tables where relid = 'webhook.open_attempt'::regclass",
  });
  return rows[0]?.count ?? Number.NaN;
}

test('a page of attempts reads the newest by index, before, during and after a mass change', async () => {
  const given = await givenMixedBacklog(20_000);
  await database.admin.query({ text: 'analyze webhook.open_attempt' });
  const pages = async (): Promise<number> => {
    const before = await readFromQueue();
    expect(await list(given, { size: 50 })).toHaveLength(50);
    expect(await list(given, { size: 50, subscriptionId: given.subscriptionId })).toHaveLength(50);
    return (await readFromQueue()) - before;
  };

  const reads = [await pages()];
  await setEnabled(given, false);
  reads.push(await pages());
  await settleSubscriptions(database.db, notifier, [given.subscriptionId], { attemptsMax: 5000, durationMsMax: 60_000 });
  reads.push(await pages());

  expect(reads.filter((count) => count > 1000)).toEqual([]);
});
