import { randomUUID } from 'node:crypto';
import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { readCounters } from '@postrider/testkit/queue-plans';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { healthy, type SubscriptionHealth } from '../../domain/subscription-health.ts';
import type { Database } from '../pool.ts';
import { healthOf } from '../subscription-health-row.ts';
import { claimParkedAttempts } from './claim-parked-attempts.ts';
import { clearSubscriptionHealth } from './clear-subscription-health.ts';
import { giveUpParkedSubscriptions } from './give-up-parked-subscriptions.ts';
import { lockSubscriptionHealth } from './lock-subscription-health.ts';
import { takeParkedSubscriptions } from './take-parked-subscriptions.ts';
import { writeSubscriptionHealth } from './write-subscription-health.ts';

let database: TestDatabase;
let application: TestApplication;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  application = await insertApplication(database.admin);
});
afterEach(() => database.drop());

const overCap: SubscriptionHealth = { ...healthy, parkReason: 'over_cap', budget: 5 };

async function write(
  subscriptionId: string,
  health: SubscriptionHealth,
  { workerProcessId = 1, ownedForMs = 60_000 } = {},
  db: Database = database.db,
): Promise<void> {
  const { applicationId } = application;
  await writeSubscriptionHealth(db, { applicationId, subscriptionId, health, nowMs: 0, workerProcessId, ownedForMs });
}

async function givenParked(count = 0, ownership: { workerProcessId?: number; ownedForMs?: number } = {}): Promise<string> {
  const subscription = await insertSubscription(database.admin, application);
  await write(subscription.subscriptionId, overCap, ownership);
  await insertBacklog(database.admin, application, subscription, { count, payloadBytes: 16 });
  return subscription.subscriptionId;
}

async function take(workerProcessId: number, { takenMax = 16, poolIds = [0], ownedForMs = 60_000 } = {}): Promise<string[]> {
  const rows = await takeParkedSubscriptions(database.db, { workerProcessId, poolIds, ownedForMs, takenMax });
  return rows.map((row) => row.subscription_id).toSorted();
}

async function claim(
  subscriptionId: string,
  { workerProcessId = 1, limit = 10, leaseMs = 60_000, isProbe = false } = {},
): Promise<string[]> {
  const shares = [{ subscriptionId, limit, isProbe }];
  const claimed = await claimParkedAttempts(database.db, { shares, leaseId: randomUUID(), leaseMs, workerProcessId });
  return claimed.map(({ requestAttemptId }) => requestAttemptId);
}

async function change(table: 'subscription' | 'subscription_health' | 'open_attempt', subscriptionId: string, set: string): Promise<void> {
  await database.admin.query({ text: `update webhook.${table} set ${set} where subscription_id = $1`, values: [subscriptionId] });
}

async function flagsOf(subscriptionId: string) {
  const { rows } = await database.admin.query({
    text: `select s.parked_at is not null as is_parked, s.unsettled_since is not null as is_unsettled, h.worker_process_id as owner
           from webhook.subscription s left join webhook.subscription_health h on h.subscription_id = s.subscription_id
           where s.subscription_id = $1`,
    values: [subscriptionId],
  });
  return rows[0];
}

test("a process keeps what it has and takes what is nobody's, others nothing until its time is up", async () => {
  const mine = await givenParked();
  const expired = await givenParked(0, { workerProcessId: 3, ownedForMs: -1 });
  expect(await take(2)).toEqual([expired]);
  expect(await take(1)).toEqual([mine]);
  expect(await take(3)).toEqual([]);
  await change('subscription_health', mine, 'owned_until = statement_timestamp()');
  expect(await take(2)).toEqual([mine, expired].toSorted());
  expect(await take(1)).toEqual([]);
});

test('two that take at the same time never both have one', async () => {
  const all = await Promise.all(Array.from({ length: 30 }, () => givenParked(0, { ownedForMs: -1, workerProcessId: 9 })));
  const takers = await Promise.all([1, 2, 3, 4].map((id) => take(id, { takenMax: 10 })));
  expect(takers.flat().length).toBe(new Set(takers.flat()).size);
  const rest = await Promise.all([1, 2, 3, 4].map((id) => take(id, { takenMax: 30 })));
  expect(rest.flat().toSorted()).toEqual(all.toSorted());
});

test('what waited for longest is taken first, and no more than was asked for', async () => {
  const late = await givenParked(0, { workerProcessId: 9, ownedForMs: -1000 });
  const early = await givenParked(0, { workerProcessId: 9, ownedForMs: -5000 });
  expect(await take(1, { takenMax: 1 })).toEqual([early]);
  expect(await take(1, { takenMax: 1 })).toEqual([early, late].toSorted());
});

test("what is given up is anybody's at once", async () => {
  const given = await givenParked();
  await giveUpParkedSubscriptions(database.db, 1);
  expect(await take(2)).toEqual([given]);
});

test.each([
  ['paused', 'subscription', 'paused_at = statement_timestamp()'],
  ['disabled', 'subscription', "disabled_at = statement_timestamp(), disabled_reason = 'by_request'"],
  ['deleted', 'subscription', 'deleted_at = statement_timestamp()'],
] as const)('one that is %s is let go, and claims of it find nothing', async (_name, table, set) => {
  const given = await givenParked(3);
  await change(table, given, set);
  expect(await claim(given)).toEqual([]);
  expect(await take(1)).toEqual([]);
});

test('one that is parked no more is let go', async () => {
  const given = await givenParked();
  await change('subscription_health', given, 'park_reason = null');
  expect(await take(1)).toEqual([]);
});

test('a process takes nothing of pools that it does not serve', async () => {
  const given = await givenParked();
  expect(await take(1, { poolIds: [7, 8] })).toEqual([]);
  expect(await take(1, { poolIds: [7, 0] })).toEqual([given]);
});

test('a claim takes as many as its share, oldest due first, of whatever lane, and each once', async () => {
  const given = await givenParked(10);
  await change('open_attempt', given, 'lane = case when extract(microseconds from due_at)::integer % 2 = 0 then 1 else 0 end');
  const { rows } = await database.admin.query<{ request_attempt_id: string }>({
    text: 'select request_attempt_id from webhook.open_attempt order by due_at',
  });
  const first = await claim(given, { limit: 4 });
  const second = await claim(given, { limit: 4 });
  const ids = rows.map((row) => row.request_attempt_id);
  expect(first.toSorted()).toEqual(ids.slice(0, 4).toSorted());
  expect(second.toSorted()).toEqual(ids.slice(4, 8).toSorted());
});

test('only the owner claims, while it is the owner', async () => {
  const given = await givenParked(3);
  expect(await claim(given, { workerProcessId: 2 })).toEqual([]);
  await change('subscription_health', given, 'owned_until = statement_timestamp()');
  expect(await claim(given)).toEqual([]);
  expect(await take(2)).toEqual([given]);
  expect(await claim(given, { workerProcessId: 2 })).toHaveLength(3);
});

test('nothing is claimed during a hold, nor before it is due', async () => {
  const given = await givenParked(3);
  await change('subscription_health', given, "hold_until = statement_timestamp() + interval '1 minute'");
  expect(await claim(given)).toEqual([]);
  await change('subscription_health', given, 'hold_until = statement_timestamp()');
  await change('open_attempt', given, "due_at = due_at + interval '1 minute'");
  expect(await claim(given)).toEqual([]);
  await change('open_attempt', given, "due_at = due_at - interval '2 minutes'");
  expect(await claim(given)).toHaveLength(3);
});

test('what is leased is claimed again when its lease has run out; samples and cancelled attempts are not', async () => {
  const given = await givenParked(4);
  expect(await claim(given, { leaseMs: 0, limit: 3 })).toHaveLength(3);
  expect(await claim(given)).toHaveLength(4);
  await change('open_attempt', given, 'leased_until = null, lease_id = null, is_test = true');
  expect(await claim(given)).toEqual([]);
  await change('open_attempt', given, 'is_test = false');
  await change('subscription', given, "cancelled_until = 'infinity'");
  expect(await claim(given)).toEqual([]);
});

test('parking and clearing set the flag that claims and inserts look at; a write that changes nothing of it leaves it', async () => {
  const { subscriptionId } = await insertSubscription(database.admin, application);
  await write(subscriptionId, { ...healthy, failures: 5, failingSinceMs: -1000 });
  expect(await flagsOf(subscriptionId)).toEqual({ is_parked: false, is_unsettled: false, owner: null });
  await write(subscriptionId, overCap);
  expect(await flagsOf(subscriptionId)).toEqual({ is_parked: true, is_unsettled: true, owner: 1 });
  await change('subscription', subscriptionId, 'unsettled_since = null');
  await write(subscriptionId, { ...overCap, parkReason: 'slow' }, { workerProcessId: 2 });
  expect(await flagsOf(subscriptionId)).toEqual({ is_parked: true, is_unsettled: false, owner: 1 });
  await write(subscriptionId, { ...healthy, failures: 1 });
  expect(await flagsOf(subscriptionId)).toEqual({ is_parked: false, is_unsettled: true, owner: null });
  await write(subscriptionId, overCap, { workerProcessId: 2 });
  await clearSubscriptionHealth(database.db, subscriptionId);
  expect(await flagsOf(subscriptionId)).toEqual({ is_parked: false, is_unsettled: true, owner: null });
});

test('a health is read as it was written, and not of a subscription that has ended', async () => {
  const { subscriptionId } = await insertSubscription(database.admin, application);
  const health = { ...overCap, parkReason: 'failing', holdUntilMs: 60_000, budgetGoal: 3, failures: 12, holds: 2, throttling: 1 } as const;
  await write(subscriptionId, { ...health, failingSinceMs: -90_000 });
  const row = await lockSubscriptionHealth(database.db, subscriptionId);
  const read = row && healthOf(row, 0);
  expect(read).toMatchObject({ ...health, holdUntilMs: expect.closeTo(60_000, -4), failingSinceMs: expect.closeTo(-90_000, -4) });
  await change('subscription', subscriptionId, 'deleted_at = statement_timestamp()');
  expect(await lockSubscriptionHealth(database.db, subscriptionId)).toBeUndefined();
});

test.each([
  ['statistics of an empty queue', false],
  ['fresh statistics', true],
])('takes and claims read no more of 50,000 rows than they claim, prepared and executed ten times, with %s', async (_name, analyse) => {
  await database.admin.query({ text: 'analyze webhook.open_attempt, webhook.subscription, webhook.subscription_health' });
  const given = await givenParked(50_000);
  if (analyse) {
    await database.admin.query({ text: 'analyze webhook.open_attempt, webhook.subscription, webhook.subscription_health' });
  }
  const db = openTestPool(database.runtimeUrl, 1);
  const before = await readCounters(db);
  const claimed: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    await takeParkedSubscriptions(db, { workerProcessId: 1, poolIds: [0], ownedForMs: 60_000, takenMax: 16 });
    const shares = [{ subscriptionId: given, limit: 20, isProbe: round === 9 }];
    const attempts = await claimParkedAttempts(db, { shares, leaseId: randomUUID(), leaseMs: 600_000, workerProcessId: 1 });
    claimed.push(...attempts.map(({ requestAttemptId }) => requestAttemptId));
  }
  const after = await readCounters(db);
  await db.end();
  expect(new Set(claimed).size).toBe(200);
  expect(after.sequentialScans).toBe(before.sequentialScans);
  // A claim reads rows that are leased already before it comes to the first free one.
  expect(after.fetched - before.fetched).toBeLessThan(200 * 12);
});

test('a probe is what came due last', async () => {
  const given = await givenParked(5);
  const [oldest] = await claim(given, { limit: 1 });
  const [probe] = await claim(given, { limit: 1, isProbe: true });

  const { rows } = await database.admin.query<{ request_attempt_id: string }>({
    text: 'select request_attempt_id from webhook.open_attempt where subscription_id = $1 order by due_at',
    values: [given],
  });
  expect([oldest, probe]).toEqual([rows[0]?.request_attempt_id, rows[4]?.request_attempt_id]);
});
