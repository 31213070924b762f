import { createWakeUpHandler } from './wake-up.ts';
import type { ClaimedBatch } from '@postrider/shared/database/queries/claim-request-attempts';
import { expect, test, vi } from 'vitest';
import { loadWorkerConfig, workerSettings } from './config.ts';
import { type ClaimSituation, computeClaimLimit } from './prefetch.ts';
import { createRecorder, type RecordedOutcome } from './recorder.ts';
import { version } from './version.ts';
import { createWatermark } from './watermark.ts';
import manifest from '../package.json' with { type: 'json' };

function batchOf(count: number, dueUntilMicros: number | null): ClaimedBatch {
  const attempt = {
    applicationId: '',
    requestAttemptId: '',
    eventId: '',
    eventReceivedAt: '',
    eventTypeName: '',
    subscriptionId: '',
    payloadBytes: 0,
    retryCount: 0,
    claimCount: 1,
    lagMs: 0,
    isTest: false,
    event: null,
  };
  return { attempts: Array.from({ length: count }, () => attempt), seen: count, dueUntilMicros, nextDueMs: null, passedOver: [] };
}

test('the version that receivers see is the one of the package', () => {
  expect(version).toBe(manifest.version);
});

test('a claim begins where the last one ended, and from the start once a second', () => {
  let clock = 0;
  const watermark = createWatermark(() => clock);
  expect(watermark.dueFromMicros()).toBe(0);
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 1, batch: batchOf(10, 5_000_000), seenUntilMicros: null });
  expect(watermark.dueFromMicros()).toBe(5_000_000);
  // At the end of the queue, rows that commit late come a little behind the mark.
  watermark.note({ dueFromMicros: 5_000_000, limit: 10, tookMs: 1, batch: batchOf(3, 6_000_000), seenUntilMicros: null });
  expect(watermark.dueFromMicros()).toBe(5_750_000);
  clock = 400;
  expect(watermark.fullScanInMs()).toBe(600);
  clock = 1000;
  expect(watermark.fullScanInMs()).toBe(0);
  expect(watermark.dueFromMicros()).toBe(0);
});

test('a claim that passed over attempts does not walk over them again, even when it took none', () => {
  const watermark = createWatermark(() => 0);
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 1, batch: batchOf(0, null), seenUntilMicros: 8_000_000 });
  expect(watermark.dueFromMicros()).toBe(7_750_000);
  watermark.note({ dueFromMicros: 7_750_000, limit: 10, tookMs: 1, batch: batchOf(10, 8_500_000), seenUntilMicros: 9_000_000 });
  expect(watermark.dueFromMicros()).toBe(8_500_000);
});

test('what is put back while a full scan is under way is looked for by another', () => {
  const watermark = createWatermark(() => 0);
  expect(watermark.dueFromMicros()).toBe(0);
  watermark.rewind();
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 1, batch: batchOf(3, 9_000_000), seenUntilMicros: null });
  expect(watermark.dueFromMicros()).toBe(0);
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 1, batch: batchOf(0, null), seenUntilMicros: null });
  expect(watermark.dueFromMicros()).toBe(8_750_000);
});

test('a full scan that fills its batch takes the mark back, and a dear one comes less often', () => {
  let clock = 0;
  const watermark = createWatermark(() => clock);
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 1, batch: batchOf(10, 9_000_000), seenUntilMicros: null });
  clock = 1000;
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 40, batch: batchOf(10, 2_000_000), seenUntilMicros: null });
  expect(watermark.dueFromMicros()).toBe(2_000_000);
  clock = 4999;
  expect(watermark.dueFromMicros()).toBe(2_000_000);
  clock = 5000;
  expect(watermark.dueFromMicros()).toBe(0);
  watermark.note({ dueFromMicros: 0, limit: 10, tookMs: 1, batch: batchOf(0, null), seenUntilMicros: null });
  watermark.rewind();
  expect(watermark.dueFromMicros()).toBe(0);
});

test.each<[string, Partial<ClaimSituation>, number]>([
  ['an idle worker claims what its slots take', { slotsFree: 20, slotsTotal: 20 }, 20],
  ['slow receivers get little ahead', { slotsTotal: 10, endsPerSecond: 2 }, 2],
  ['fast ones get whole batches', { endsPerSecond: 10_000 }, 300],
  ['two batches ahead are enough', { waiting: 301, endsPerSecond: 10_000 }, 0],
  ['a slow database needs more', { waiting: 600, endsPerSecond: 10_000, refillMs: 50 }, 300],
  ['five at most', { waiting: 751, endsPerSecond: 10_000, refillMs: 5000 }, 0],
  ['nothing is claimed while enough waits', { waiting: 1000, endsPerSecond: 10_000, refillMs: 50 }, 0],
  ['a small refill waits', { slotsTotal: 10, waiting: 6, endsPerSecond: 10 }, 0],
  ['some that are put off do not count', { slotsFree: 1, slotsTotal: 10, deferred: 400 }, 1],
  ['a flood of them does', { slotsFree: 1, slotsTotal: 10, deferred: 402 }, 0],
])('%s', (_name, situation, limit) => {
  const busy = { slotsFree: 0, slotsTotal: 100, waiting: 0, deferred: 0, endsPerSecond: 0, refillMs: 5 };
  expect(computeClaimLimit({ ...busy, ...situation })).toBe(limit);
});

test('of all workers the one whose turn it is answers a wake-up at once, and few others look later', () => {
  vi.useFakeTimers();
  const wakes: string[] = [];
  let claimedAtMs = -1;
  const claimer = { wake: () => void wakes.push('wake'), rewind: () => void wakes.push('rewind'), claimedAtMs: () => claimedAtMs };
  const parked = { wake: () => void wakes.push('parked') };
  const workerOf = (rank: number) =>
    createWakeUpHandler({ claimer, parked, roster: { rankFor: () => rank, servedPools: () => [0] }, now: () => performance.now() });
  const [first, second, fifth] = [workerOf(0), workerOf(1), workerOf(4)];
  first('1 due 7');
  expect(wakes).toEqual([]);
  first('1 due 0,7');
  expect(wakes).toEqual(['wake']);
  second('1 due 0');
  second('2 due 0');
  fifth('1 due 0');
  expect(wakes).toEqual(['wake']);
  vi.advanceTimersByTime(20);
  expect(wakes).toEqual(['wake', 'wake']);
  second('3 due 0');
  claimedAtMs = performance.now();
  vi.advanceTimersByTime(1000);
  expect(wakes).toEqual(['wake', 'wake']);
  second('4 due 0');
  claimedAtMs = performance.now();
  vi.advanceTimersByTime(10);
  second('5 due 0');
  vi.advanceTimersByTime(10);
  expect(wakes).toEqual(['wake', 'wake', 'wake']);
  fifth('3 rewind 0');
  fifth('4 parked 0');
  expect(wakes).toEqual(['wake', 'wake', 'wake', 'rewind', 'parked']);
  vi.useRealTimers();
});

function outcomeOf(requestAttemptId: string): RecordedOutcome {
  return {
    applicationId: 'app',
    requestAttemptId,
    leaseId: 'lease',
    subscriptionId: 'subscription',
    succeeded: true,
    elapsedMs: 1,
    errorName: null,
    httpCode: 200,
    responseHeaders: { a: 'b' },
    responseBody: Buffer.from(requestAttemptId),
    responseBodyTruncated: false,
    retryDelayMs: null,
    retryCount: null,
    reason: null,
    disablesSubscription: false,
    exhausted: null,
  };
}

function givenRecorder(record: (outcomes: readonly RecordedOutcome[]) => Promise<Set<string>>) {
  const events: string[] = [];
  const recorder = createRecorder({
    record,
    disableSubscriptions: () => Promise.resolve(),
    ensurePartitions: async () => void events.push('partitions'),
    isMissingPartition: (error) => error instanceof Error && error.message === 'partition',
    isRefused: (error) => error instanceof Error && error.message === 'refused',
    wait: () => Promise.resolve(),
    report: {
      recorded: ({ outcomes }) => void events.push(`recorded ${outcomes.length}`),
      leaseLost: ({ requestAttemptId }) => void events.push(`lost ${requestAttemptId}`),
      retried: () => void events.push('retried'),
      refused: (_error, { requestAttemptId }) => void events.push(`refused ${requestAttemptId}`),
    },
    now: () => 0,
  });
  return { recorder, events };
}

const idsOf = (outcomes: readonly RecordedOutcome[]): Set<string> => new Set(outcomes.map(({ requestAttemptId }) => requestAttemptId));

test('an outcome that comes while the last group ends is recorded too', async () => {
  const { recorder, events } = givenRecorder((outcomes) => Promise.resolve(idsOf(outcomes)));
  recorder.onRoom(() => {
    recorder.onRoom(() => {});
    queueMicrotask(() => recorder.push(outcomeOf('b')));
  });
  recorder.push(outcomeOf('a'));
  await expect.poll(() => events).toEqual(['recorded 1', 'recorded 1']);
  expect(recorder.unrecorded()).toBe(0);
});

test('outcomes of one turn share a statement, and a failed one is sent again', async () => {
  let failures = 2;
  const { recorder, events } = givenRecorder(async (outcomes) => {
    if (failures > 0) {
      failures -= 1;
      throw new Error(failures === 1 ? 'away' : 'partition');
    }
    return idsOf(outcomes);
  });
  ['a', 'b', 'c'].forEach((id) => recorder.push(outcomeOf(id)));
  expect(recorder.unrecorded()).toBe(3);
  await recorder.flush();
  expect(events).toEqual(['retried', 'partitions', 'recorded 3']);
  expect(recorder.unrecorded()).toBe(0);
});

test('a lone outcome waits for nothing, and in a flood a group waits for more', async () => {
  const sizes: number[] = [];
  const { recorder } = givenRecorder(async (outcomes) => {
    sizes.push(outcomes.length);
    if (sizes.length === 2) {
      // While the first flood is being written, the next one begins.
      recorder.push(outcomeOf('c'));
      setImmediate(() => recorder.push(outcomeOf('d')));
    }
    return idsOf(outcomes);
  });
  recorder.push(outcomeOf('lone'));
  await recorder.flush();
  Array.from({ length: 20 }, (_, index) => recorder.push(outcomeOf(`flood ${index}`)));
  await recorder.flush();
  expect(sizes).toEqual([1, 20, 2]);
});

test('a row that changed under the statement is looked for again before its lease counts as lost', async () => {
  let calls = 0;
  const { recorder, events } = givenRecorder(async (outcomes) => {
    calls += 1;
    const found = idsOf(outcomes);
    found.delete(calls === 1 ? 'b' : 'none');
    found.delete('lost');
    return found;
  });
  ['a', 'b', 'lost'].forEach((id) => recorder.push(outcomeOf(id)));
  await recorder.flush();
  expect(events).toEqual(['recorded 2', 'lost lost']);
});

test('a batch that is refused is split until the culprit is alone, which is recorded without its response', async () => {
  const bodies: (string | undefined)[] = [];
  const { recorder, events } = givenRecorder(async (outcomes) => {
    if (outcomes.some(({ requestAttemptId, responseBody }) => requestAttemptId === 'bad' && responseBody !== null)) {
      throw new Error('refused');
    }
    bodies.push(...outcomes.map(({ responseBody }) => responseBody?.toString()));
    return idsOf(outcomes);
  });
  ['a', 'b', 'bad', 'c'].forEach((id) => recorder.push(outcomeOf(id)));
  await recorder.flush();
  expect(events.filter((event) => event.startsWith('refused'))).toEqual(['refused bad']);
  expect(bodies.toSorted()).toEqual(['a', 'b', 'c', undefined]);
});

test('settings that contradict each other are refused together', () => {
  const loaded = loadWorkerConfig({
    env: { DATABASE_URL: 'postgres://localhost/x', SECRETS_KEY: Buffer.alloc(32).toString('base64'), LEASE: '20s', CONNECT_TIMEOUT: '20s' },
    flags: { 'fast-retry-delay': '10m' },
  });
  expect(loaded.ok ? [] : loaded.problems.map(({ name }) => name)).toEqual(['LEASE', 'CONNECT_TIMEOUT', 'FAST_RETRY_DELAY']);
});

test('every setting has a flag that no other has', () => {
  const names = Object.values(workerSettings).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
