import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { sweepStrandedAttempts } from './sweep.ts';

let database: TestDatabase;
const announced: number[] = [];
const notifier = { notify: (poolIds: Iterable<number>) => void announced.push(...poolIds), flush: () => Promise.resolve() };

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

/** A subscription that changed a while ago, and attempts that were committed by somebody who had not seen it. */
async function givenStranded(change: string): Promise<string> {
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application);
  await database.admin.query({
    text: `update webhook.subscription set ${change}, unsettled_since = statement_timestamp() - interval '1 hour' where subscription_id = $1`,
    values: [subscription.subscriptionId],
  });
  await insertBacklog(database.admin, application, subscription, { count: 1500, payloadBytes: 16 });
  return subscription.subscriptionId;
}

async function stateOf(subscriptionId: string) {
  const { rows } = await database.db.query<{ status: string; count: number }>({
    text: 'select status, count(*)::integer as count from webhook.request_attempt where subscription_id = $1 group by status',
    values: [subscriptionId],
  });
  const open = await database.db.query<{ pool_id: number; count: number }>({
    text: 'select pool_id, count(*)::integer as count from webhook.open_attempt where subscription_id = $1 group by pool_id',
    values: [subscriptionId],
  });
  const unsettled = await database.db.query({
    text: 'select from webhook.subscription where subscription_id = $1 and unsettled_since is not null',
    values: [subscriptionId],
  });
  return { attempts: rows, open: open.rows, isSettled: unsettled.rowCount === 0 };
}

test('cancels what waits for a subscription that is disabled', async () => {
  const subscriptionId = await givenStranded("disabled_at = statement_timestamp(), disabled_reason = 'by_request'");
  await sweepStrandedAttempts(database.db, notifier);
  expect(await stateOf(subscriptionId)).toEqual({ attempts: [{ status: 'failed', count: 1500 }], open: [], isSettled: true });
});

test('moves attempts to the workers that serve them now, and tells those', async () => {
  const { rows } = await database.admin.query<{ pool_id: number }>({
    text: "insert into webhook.worker_pool (worker_ids) values (array['00000000-0000-0000-0000-000000000001']::uuid[]) returning pool_id",
  });
  const poolId = rows[0]?.pool_id ?? 0;
  const subscriptionId = await givenStranded(`pool_id = ${poolId}`);
  await sweepStrandedAttempts(database.db, notifier);
  expect(await stateOf(subscriptionId)).toEqual({
    attempts: [{ status: 'pending', count: 1500 }],
    open: [{ pool_id: poolId, count: 1500 }],
    isSettled: true,
  });
  expect(announced).toContain(poolId);
});

test('parks what was put into the queue of a paused subscription, and releases what was parked of a resumed one', async () => {
  const subscriptionId = await givenStranded('paused_at = statement_timestamp()');
  await sweepStrandedAttempts(database.db, notifier);
  const parked = { text: 'select from webhook.open_attempt where subscription_id = $1 and lane = 1', values: [subscriptionId] };
  expect((await database.db.query(parked)).rowCount).toBe(1500);
  expect(await stateOf(subscriptionId)).toMatchObject({ attempts: [{ status: 'pending', count: 1500 }], isSettled: true });

  await database.admin.query({
    text: `update webhook.subscription set paused_at = null, unsettled_since = statement_timestamp() - interval '1 hour'
           where subscription_id = $1`,
    values: [subscriptionId],
  });
  announced.length = 0;
  await sweepStrandedAttempts(database.db, notifier);
  expect((await database.db.query(parked)).rowCount).toBe(0);
  expect(await stateOf(subscriptionId)).toMatchObject({ isSettled: true });
  expect(announced).toContain(0);
});

test('comes to what was paused last however many were paused before', async () => {
  const application = await insertApplication(database.admin);
  const insertPaused = async (lane: number): Promise<string> => {
    const { subscriptionId, secret } = await insertSubscription(database.admin, application);
    await insertBacklog(database.admin, application, { subscriptionId, secret }, { count: 1, payloadBytes: 16 });
    await database.admin.query({
      text: `with parked as (update webhook.open_attempt set lane = $2 where subscription_id = $1)
             update webhook.subscription set paused_at = statement_timestamp(), unsettled_since = statement_timestamp()
             where subscription_id = $1`,
      values: [subscriptionId, lane],
    });
    return subscriptionId;
  };
  for (let index = 0; index < 150; index += 1) {
    await insertPaused(1);
  }
  const lastId = await insertPaused(0);
  await sweepStrandedAttempts(database.db, notifier);
  const { rows } = await database.db.query({ text: 'select lane from webhook.open_attempt where subscription_id = $1', values: [lastId] });
  expect(rows).toEqual([{ lane: 1 }]);
});

test('leaves alone what a worker holds, and comes back for it', async () => {
  const subscriptionId = await givenStranded('deleted_at = statement_timestamp()');
  await database.admin.query({
    text: `update webhook.open_attempt set lease_id = gen_random_uuid(), leased_until = statement_timestamp() + interval '1 hour'
           where ctid in (select ctid from webhook.open_attempt where subscription_id = $1 limit 3)`,
    values: [subscriptionId],
  });
  await sweepStrandedAttempts(database.db, notifier);
  const state = await stateOf(subscriptionId);
  expect(state.attempts.toSorted((a, b) => a.count - b.count)).toEqual([
    { status: 'in_progress', count: 3 },
    { status: 'failed', count: 1497 },
  ]);
  expect(state.isSettled).toBe(false);
});
