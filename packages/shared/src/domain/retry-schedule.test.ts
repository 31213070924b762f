import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseRetryDelayMs, defaultRetrySchedule, jitterWindowMs, retryDelayMs, worstCaseMs } from './retry-schedule.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Every delay of the default schedule, by the retry_count of the attempt that failed. */
const fast = [5, 10, 20, 40, 80, 160, ...Array.from({ length: 24 }, () => 300)].map((seconds) => seconds * second);
const slow = [1, 2, ...Array.from({ length: 28 }, () => 4)].map((hours) => hours * hour);
const table = [...fast, ...slow].map((delayMs, retryCount) => ({ retryCount, delayMs }));

test.each(table)('waits $delayMs ms after the attempt with retry_count $retryCount', ({ retryCount, delayMs }) => {
  expect(baseRetryDelayMs(defaultRetrySchedule, retryCount)).toBe(delayMs);
});

test('has sixty retries and no more', () => {
  expect(table).toHaveLength(60);
  expect(baseRetryDelayMs(defaultRetrySchedule, 60)).toBeNull();
  expect(retryDelayMs(defaultRetrySchedule, 60, () => 0.5)).toBeNull();
});

test('gives the constant hourly schedule when the slow delays are capped at an hour', () => {
  const hourly = { ...defaultRetrySchedule, slowMaxDelayMs: hour };
  expect([30, 31, 45, 59].map((retryCount) => baseRetryDelayMs(hourly, retryCount))).toEqual([hour, hour, hour, hour]);
});

test('does not overflow however many retries there are', () => {
  const many = { ...defaultRetrySchedule, maxFastRetries: 5000 };
  expect(baseRetryDelayMs(many, 4999)).toBe(5 * minute);
});

test('takes at most about six days in all', () => {
  const withoutJitter = table.reduce((sum, { delayMs }) => sum + delayMs, 0);
  expect(worstCaseMs(defaultRetrySchedule)).toBeGreaterThan(withoutJitter);
  expect(worstCaseMs(defaultRetrySchedule)).toBeLessThan(withoutJitter * 1.2);
});

describe('jitter', () => {
  const retryCounts = fc.integer({ min: 0, max: 59 });
  const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('is never early and never more than its window', () => {
    fc.assert(
      fc.property(retryCounts, randoms, (retryCount, random) => {
        const base = baseRetryDelayMs(defaultRetrySchedule, retryCount) ?? Number.NaN;
        const delay = retryDelayMs(defaultRetrySchedule, retryCount, () => random) ?? Number.NaN;
        return delay >= base && delay <= base + Math.max(second, Math.min(base * 0.1, 15 * minute));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [5 * second, second],
    [5 * minute, 30 * second],
    [hour, 6 * minute],
    [4 * hour, 15 * minute],
  ])('of %d ms has a window of %d ms', (delayMs, windowMs) => {
    expect(jitterWindowMs(defaultRetrySchedule, delayMs)).toBe(windowMs);
  });
});
