import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BucketLimit, takeToken } from './token-bucket.ts';

/** Asks a bucket that is full at first at each of these times; returns at which it gave. */
function takenAt(limit: BucketLimit, times: readonly number[]): number[] {
  let fullAtMs = Number.NEGATIVE_INFINITY;
  return times.filter((nowMs) => {
    const taken = takeToken(limit, fullAtMs, nowMs);
    ({ fullAtMs } = taken);
    return taken.isTaken;
  });
}

const limits = fc.record({ burst: fc.integer({ min: 1, max: 500 }), periodMs: fc.integer({ min: 1, max: 1000 }) });
/** Differences between requests, as clocks with fractions of milliseconds have them. */
const gaps = fc.array(fc.double({ min: 0, max: 2000, noNaN: true }), { minLength: 1, maxLength: 300 });

function timesOf(differences: readonly number[], startMs = 12_345.678): number[] {
  let nowMs = startMs;
  return differences.map((difference) => (nowMs += difference));
}

test('gives the burst at once and not one more', () => {
  fc.assert(
    fc.property(limits, (limit) => {
      const at = Array.from({ length: limit.burst + 5 }, () => 1000);
      expect(takenAt(limit, at)).toHaveLength(limit.burst);
    }),
  );
});

test('under a flood gives burst and refill, within 2 %', () => {
  // A bucket for a single token is full while the next request is on its way, and what would come back meanwhile is lost.
  const several = limits.filter(({ burst }) => burst > 1);
  fc.assert(
    fc.property(several, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (limit, part) => {
      const forMs = limit.periodMs * 400;
      const every = limit.periodMs * part;
      const atOnce = Array.from({ length: limit.burst }, () => 50);
      const times = [...atOnce, ...Array.from({ length: Math.floor(forMs / every) }, (_, index) => 50 + (index + 1) * every)];
      const expected = limit.burst + forMs / limit.periodMs;
      const given = takenAt(limit, times).length;
      expect(Math.abs(given - expected)).toBeLessThanOrEqual(Math.max(1, expected * 0.02));
    }),
    { numRuns: 50 },
  );
});

test('never gives more than burst and refill in any stretch of time', () => {
  fc.assert(
    fc.property(limits, gaps, (limit, differences) => {
      const taken = takenAt(limit, timesOf(differences));
      for (const [first, from] of taken.entries()) {
        for (const [further, to] of taken.slice(first).entries()) {
          expect(further + 1).toBeLessThanOrEqual(limit.burst + (to - from) / limit.periodMs + 1e-3);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('refuses nobody who keeps to the rate', () => {
  fc.assert(
    fc.property(limits, gaps, (limit, differences) => {
      const times = timesOf(differences.map((difference) => limit.periodMs + difference));
      expect(takenAt(limit, times)).toEqual(times);
    }),
  );
});

test('what it says of itself is so: the tokens that remain, when the next comes, and when it is full', () => {
  fc.assert(
    fc.property(limits, gaps, (limit, differences) => {
      let fullAtMs = 0;
      for (const nowMs of timesOf(differences)) {
        const taken = takeToken(limit, fullAtMs, nowMs);
        ({ fullAtMs } = taken);
        const at = Array.from({ length: limit.burst + 1 }, () => nowMs);
        expect(countFrom(limit, fullAtMs, at)).toBe(taken.remaining);
        expect(takeToken(limit, fullAtMs, nowMs + taken.nextInMs).isTaken).toBe(true);
        const justBeforeMs = nowMs + taken.nextInMs - 0.01 * limit.periodMs;
        const isTooLate = taken.remaining === 0 && takeToken(limit, fullAtMs, justBeforeMs).isTaken;
        expect(isTooLate).toBe(false);
        expect(takeToken(limit, fullAtMs, nowMs + taken.fullInMs).remaining).toBe(limit.burst - 1);
      }
    }),
    { numRuns: 30 },
  );
});

function countFrom(limit: BucketLimit, fullAtMs: number, times: readonly number[]): number {
  let at = fullAtMs;
  return times.filter((nowMs) => {
    const taken = takeToken(limit, at, nowMs);
    at = taken.fullAtMs;
    return taken.isTaken;
  }).length;
}
