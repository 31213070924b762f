import { randomUUID } from 'node:crypto';
import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { measureQueueStatements, readCounters } from '@postrider/testkit/queue-plans';
import { outcomeOf } from '@postrider/testkit/outcomes';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { claimRequestAttempts } from './claim-request-attempts.ts';
import { recordOutcomes } from './record-outcomes.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterEach(() => database.drop());

async function givenBacklog(count: number): Promise<string> {
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application);
  await insertBacklog(database.admin, application, subscription, { count, payloadBytes: 16 });
  return subscription.subscriptionId;
}

test('eight claimers on one queue never take a row twice', async () => {
  await givenBacklog(4000);
  const taken: string[] = [];

  await Promise.all(
    Array.from({ length: 8 }, async (_, workerProcessId) => {
      const db = openTestPool(database.runtimeUrl, 1);
      let misses = 0;
      while (misses < 3) {
        const claim = { poolId: 0, lane: 0, leaseId: randomUUID(), leaseMs: 60_000, limit: 50, workerProcessId, dueFromMicros: 0 };
        const { attempts } = await claimRequestAttempts(db, claim);
        taken.push(...attempts.map(({ requestAttemptId }) => requestAttemptId));
        misses = attempts.length === 0 ? misses + 1 : 0;
      }
      await db.end();
    }),
  );

  expect(taken).toHaveLength(4000);
  expect(new Set(taken).size).toBe(4000);
});

test.each([
  ['statistics of an empty queue', false],
  ['fresh statistics', true],
])('statements on 50,000 rows keep their index plans, prepared and executed ten times, with %s', async (_name, analyse) => {
  await database.admin.query({ text: 'analyze webhook.open_attempt' });
  await givenBacklog(50_000);
  if (analyse) {
    await database.admin.query({ text: 'analyze webhook.open_attempt' });
  }
  const db = openTestPool(database.runtimeUrl, 1);

  const costs = await measureQueueStatements(db);
  await db.end();

  expect(costs.map(({ statement, sequentialScans }) => [statement, sequentialScans])).toEqual([
    ['age', 0],
    ['claim', 0],
    ['renew', 0],
    ['record', 0],
    ['record_retried', 0],
    ['release', 0],
    ['hasten', 0],
    ['retry', 0],
    ['move', 0],
    ['claim_skipping', 0],
    ['claim_passing_over', 0],
  ]);
  // A claim reads rows that are leased already before it comes to the first free one.
  const [age, claim, ...others] = costs;
  expect(claim?.fetchedPerAttempt).toBeLessThan(12);
  // The age of the queue is one row's, however long it is.
  expect(age?.fetchedPerAttempt).toBeLessThan(1);
  // By look-ups it is two at most; a plan that reads the queue fetches hundreds.
  expect(others.filter(({ fetchedPerAttempt }) => fetchedPerAttempt > 2)).toEqual([]);
});

test.each([
  ['one that succeeded', {}],
  ['one that is retried', { succeeded: false, retryDelayMs: 60_000, retryCount: 1 }],
])('outcomes that come alone are recorded by a plan that is kept: %s', async (_name, outcome) => {
  await givenBacklog(20);
  const db = openTestPool(database.runtimeUrl, 1);
  const leaseId = randomUUID();
  const claim = { poolId: 0, lane: 0, leaseId, leaseMs: 60_000, limit: 20, workerProcessId: 1, dueFromMicros: 0 };

  for (const attempt of (await claimRequestAttempts(db, claim)).attempts) {
    await recordOutcomes(db, [outcomeOf({ ...attempt, leaseId }, outcome)]);
  }

  const { rows } = await db.query<{ generic: number; custom: number }>({
    text: `select generic_plans::integer as generic, custom_plans::integer as custom from pg_prepared_statements where name like 'record%'`,
  });
  await db.end();
  // PostgreSQL plans the first five for their values, and compares.
  expect(rows).toEqual([{ generic: 15, custom: 5 }]);
});

test.each([
  ['statistics of an empty queue', false],
  ['fresh statistics', true],
])('a claim that skips all of 50,000 rows reads each once, by index, and the next goes on behind them, with %s', async (_name, analyse) => {
  await database.admin.query({ text: 'analyze webhook.open_attempt' });
  const subscriptionId = await givenBacklog(50_000);
  if (analyse) {
    await database.admin.query({ text: 'analyze webhook.open_attempt' });
  }
  const db = openTestPool(database.runtimeUrl, 1);
  const skipped = { subscriptionIds: [subscriptionId], cancelledUntil: ['-infinity'], isPaused: [true] };
  const claim = async (dueFromMicros: number) => {
    const before = await readCounters(db);
    const base = { poolId: 0, lane: 0, leaseId: randomUUID(), leaseMs: 60_000, limit: 50, workerProcessId: 1, dueFromMicros };
    expect(await claimRequestAttempts(db, { ...base, skipped })).toMatchObject({ attempts: [], seen: 0 });
    const after = await readCounters(db);
    return { sequentialScans: after.sequentialScans - before.sequentialScans, fetched: after.fetched - before.fetched };
  };

  // From the sixth time on the plan is one that fits all values.
  for (let round = 0; round < 7; round += 1) {
    const walk = await claim(0);
    const next = await claim((Date.now() + 60_000) * 1000);
    expect([walk.sequentialScans, next.sequentialScans, next.fetched]).toEqual([0, 0, 0]);
    expect(walk.fetched).toBeLessThanOrEqual(50_000);
  }
  await db.end();
});

test('claims are HOT updates, whatever the name of the worker', async () => {
  const { rows } = await database.admin.query<{ worker_process_id: number }>({
    text: 'insert into webhook.worker_process (name, version) values ($1, $2) returning worker_process_id',
    values: ['worker-with-a-very-long-name.'.repeat(8), '0.1.0'],
  });
  await givenBacklog(5000);
  const db = openTestPool(database.runtimeUrl, 1);

  for (let round = 0; round < 25; round += 1) {
    await claimRequestAttempts(db, {
      poolId: 0,
      lane: 0,
      leaseId: randomUUID(),
      leaseMs: 60_000,
      limit: 200,
      workerProcessId: rows[0]?.worker_process_id ?? 0,
      dueFromMicros: 0,
    });
  }

  // Each connection hands its counters over when it is asked to, or some time later.
  await db.query({ text: 'select pg_stat_force_next_flush()' });
  await db.end();
  const stats = await database.admin.query<{ n_tup_upd: string; n_tup_hot_upd: string }>({
    text: "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relid = 'webhook.open_attempt'::regclass",
  });
  const updates = Number(stats.rows[0]?.n_tup_upd);
  expect(updates).toBe(5000);
  expect(Number(stats.rows[0]?.n_tup_hot_upd) / updates).toBeGreaterThanOrEqual(0.95);
});
