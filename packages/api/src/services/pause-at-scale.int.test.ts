import { randomUUID } from 'node:crypto';
import { cancelOpenAttempts } from '@postrider/shared/database/queries/cancel-open-attempts';
import { type ClaimedBatch, claimRequestAttempts, type SkippedAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { loadPassedOverSubscriptions } from '@postrider/shared/database/queries/load-passed-over-subscriptions';
import { pauseSubscription } from '@postrider/shared/database/queries/pause-subscription';
import { insertBacklog } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { givenTwoBacklogs, setEnabled, type TwoBacklogs } from '../testing/queue-races.ts';
import { sweepStrandedAttempts, type UnfinishedSweep } from './housekeeping/sweep.ts';
import { beginSettling, continueSettling, settleSubscriptions } from './settle-subscription.ts';

const notifier = { notify() {}, flush: () => Promise.resolve() };
let database: TestDatabase;
let given: TwoBacklogs;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  given = await givenTwoBacklogs(database);
});
afterEach(() => database.drop());

function setPaused(isPaused: boolean): Promise<unknown> {
  return pauseSubscription(database.db, { ...given.application, subscriptionId: given.changedId, isPaused });
}

async function insertMore(count: number): Promise<void> {
  await insertBacklog(database.admin, given.application, { subscriptionId: given.changedId, secret: '' }, { count, payloadBytes: 16 });
}

/** One more attempt that is due after all others. */
async function insertSample(): Promise<void> {
  await insertMore(1);
  await database.admin.query({
    text: `update webhook.open_attempt set is_test = true
           where ctid = (select ctid from webhook.open_attempt where subscription_id = $1 order by due_at desc limit 1)`,
    values: [given.changedId],
  });
}

/** Leases end at once, so that each claim finds what the others found. */
function claim(limit: number, skipped?: SkippedAttempts): Promise<ClaimedBatch> {
  const base = { poolId: 0, lane: 0, leaseId: randomUUID(), leaseMs: 0, workerProcessId: 1, dueFromMicros: 0 };
  return claimRequestAttempts(database.db, { ...base, limit, ...(skipped && { skipped }) });
}

function skippedOf({ passedOver }: ClaimedBatch): SkippedAttempts {
  return {
    subscriptionIds: passedOver.map(({ subscriptionId }) => subscriptionId),
    cancelledUntil: passedOver.map(({ cancelledUntil }) => cancelledUntil),
    isPaused: passedOver.map(({ isPaused }) => isPaused),
  };
}

/** Of the changed subscription and of the other one. */
function countsOf({ attempts }: ClaimedBatch): { changed: number; samples: number; other: number } {
  const changed = attempts.filter(({ subscriptionId }) => subscriptionId === given.changedId);
  const samples = changed.filter(({ isTest }) => isTest).length;
  return { changed: changed.length - samples, samples, other: attempts.length - changed.length };
}

async function stateOfChanged() {
  const { rows } = await database.admin.query<{ queued: number; parked: number; cancelled: number }>({
    text: `select (select count(*)::integer from webhook.open_attempt where subscription_id = $1 and lane = 0) as queued,
                  (select count(*)::integer from webhook.open_attempt where subscription_id = $1 and lane = 1) as parked,
                  (select count(*)::integer from webhook.finished_attempt where subscription_id = $1 and reason = 'cancelled') as cancelled`,
    values: [given.changedId],
  });
  return rows[0];
}

/** As if the last change were long ago. */
async function age(): Promise<void> {
  await database.admin.query({ text: `update webhook.subscription set unsettled_since = unsettled_since - interval '1 hour'` });
}

test('a claim passes over what is being parked, samples aside, and finds it again after the resume', async () => {
  await insertSample();
  await setPaused(true);

  const first = await claim(100);
  const second = await claim(1000, skippedOf(first));
  await setPaused(false);
  const loaded = await loadPassedOverSubscriptions(database.db, [given.changedId]);
  const third = await claim(1000);

  expect(first).toMatchObject({ attempts: [], seen: 100, passedOver: [{ subscriptionId: given.changedId, isPaused: true }] });
  expect(countsOf(second)).toEqual({ changed: 0, samples: 1, other: 100 });
  expect(second.seen).toBe(101);
  expect(loaded).toEqual([]);
  expect(countsOf(third)).toEqual({ changed: 400, samples: 1, other: 100 });
  expect(third.passedOver).toEqual([]);
});

test('a sample of a paused subscription that is disabled is not found again and again, nor sent when that is enabled', async () => {
  await insertSample();
  await setPaused(true);
  await setEnabled(database, given, false);

  const first = await claim(1000);
  const second = await claim(1000, skippedOf(first));
  await setEnabled(database, given, true);
  const third = await claim(1000);
  await insertSample();
  const fourth = await claim(1000, skippedOf(third));

  expect(countsOf(first)).toEqual({ changed: 0, samples: 0, other: 100 });
  expect(second).toMatchObject({ seen: 100, passedOver: [] });
  expect(countsOf(third)).toEqual({ changed: 0, samples: 0, other: 100 });
  expect(third.passedOver).toMatchObject([{ isPaused: true, cancelledUntil: expect.not.stringContaining('infinity') }]);
  expect(countsOf(fourth)).toEqual({ changed: 0, samples: 1, other: 100 });
});

const settle = (): Promise<boolean> => settleSubscriptions(database.db, notifier, [given.changedId]);

const sequences: readonly (readonly [
  name: string,
  changes: readonly (() => Promise<unknown>)[],
  state: { queued: number; parked: number; cancelled: number },
])[] = [
  ['a pause and a resume at once', [() => setPaused(true), () => setPaused(false)], { queued: 400, parked: 0, cancelled: 0 }],
  [
    'a pause that is followed, and a resume',
    [() => setPaused(true), settle, () => setPaused(false)],
    { queued: 400, parked: 0, cancelled: 0 },
  ],
  [
    'a pause, a resume and a pause',
    [() => setPaused(true), settle, () => setPaused(false), () => setPaused(true)],
    { queued: 0, parked: 400, cancelled: 0 },
  ],
  ['a pause and a disabling', [() => setPaused(true), settle, disable], { queued: 0, parked: 0, cancelled: 400 }],
  ['a pause while disabled', [disable, () => setPaused(true)], { queued: 0, parked: 0, cancelled: 400 }],
  [
    'a pause while disabled, an enabling and new events',
    [disable, () => setPaused(true), enable, () => insertMore(7)],
    { queued: 0, parked: 7, cancelled: 400 },
  ],
  [
    'the same and a resume',
    [disable, () => setPaused(true), enable, () => insertMore(7), settle, () => setPaused(false)],
    { queued: 7, parked: 0, cancelled: 400 },
  ],
  [
    'a pause and a deletion',
    [() => setPaused(true), settle, () => deleteSubscription(database.db, given.application.applicationId, given.changedId)],
    { queued: 0, parked: 0, cancelled: 400 },
  ],
];

function disable(): Promise<void> {
  return setEnabled(database, given, false);
}

function enable(): Promise<void> {
  return setEnabled(database, given, true);
}

test.each(sequences)('one sweep puts everything in its place after %s', async (_name, changes, state) => {
  for (const change of changes) {
    await change();
  }
  await age();
  await sweepStrandedAttempts(database.db, notifier);
  expect(await stateOfChanged()).toEqual(state);
  expect(await loadPassedOverSubscriptions(database.db, [given.changedId])).toEqual([]);
});

async function readFromQueue(): Promise<number> {
  // Each connection hands its counters over when it is asked to, or when it ends.
  await Promise.all(Array.from({ length: 5 }, () => database.db.query({ text: 'select pg_stat_force_next_flush()' })));
  const { rows } = await database.admin.query<{ count: number }>({
    text: "select (seq_tup_read + idx_tup_fetch)::integer as count from pg_stat_user_tables where relid = 'webhook.open_attempt'::regclass",
  });
  return rows[0]?.count ?? Number.NaN;
}

async function readBy(task: () => Promise<unknown>): Promise<number> {
  const before = await readFromQueue();
  await task();
  return (await readFromQueue()) - before;
}

test('looking for what is cancelled reads nothing of a subscription that cancels nothing, also when it once did', async () => {
  const cancel = () => cancelOpenAttempts(database.db, { subscriptionId: given.changedId, dueFrom: null, limit: 1000 });
  await setPaused(true);
  const neverCancelled = await readBy(cancel);
  await disable();
  await enable();
  await age();
  await sweepStrandedAttempts(database.db, notifier);
  await insertMore(1000);
  const workedOff = await readBy(cancel);

  expect([neverCancelled, workedOff]).toEqual([0, 0]);
  expect(await stateOfChanged()).toEqual({ queued: 1000, parked: 0, cancelled: 400 });
});

test.each([
  [
    'in the background',
    async () => {
      const settling = beginSettling(given.changedId);
      while (!(await continueSettling(database.db, notifier, settling, { attemptsMax: 2000, durationMsMax: 60_000 }))) {
        // The next turn.
      }
    },
  ],
  [
    'by sweeps',
    async () => {
      const unfinished: UnfinishedSweep = new Map();
      while (await sweepStrandedAttempts(database.db, notifier, unfinished)) {
        // The next sweep.
      }
    },
  ],
])('parking and releasing in turns %s reads each attempt once', async (_name, settleAll) => {
  await insertMore(60_000);
  await database.admin.query({ text: 'analyze webhook.open_attempt' });
  for (const isPaused of [true, false]) {
    await setPaused(isPaused);
    expect(await readBy(settleAll)).toBeLessThan(1.5 * 60_400);
    expect(await stateOfChanged()).toEqual({ queued: isPaused ? 0 : 60_400, parked: isPaused ? 60_400 : 0, cancelled: 0 });
  }
});
