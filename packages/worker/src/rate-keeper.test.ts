import { afterEach, expect, test, vi } from 'vitest';
import { createRateKeeper } from './rate-keeper.ts';
import { createSlots } from './slots.ts';
import { RatedRun } from './testing/rated-run.ts';
import { createSeededRandom } from './testing/simulated-clock.ts';
import { Traffic } from './traffic.ts';
import type { Rate, SubscriptionTraffic } from './subscription-traffic.ts';

afterEach(() => vi.unstubAllGlobals());

function givenRated(rate: Rate, now: () => number): SubscriptionTraffic {
  const traffic = new Traffic({ slots: createSlots(4), capDefault: 4, signal: () => undefined, now });
  const rated = traffic.of('rated');
  traffic.setPolicy(rated, { inFlightMax: null, rate });
  return rated;
}

/** When requests start whose owner looks as soon as it may, and up to `lateMs` later. */
function startsOf(rate: Rate, { forMs, lateMs }: { readonly forMs: number; readonly lateMs: number }): number[] {
  const random = createSeededRandom(1);
  let nowMs = 0;
  const rated = givenRated(rate, () => nowMs);
  const rates = createRateKeeper(() => nowMs);
  const starts: number[] = [];
  while (nowMs < forMs) {
    nowMs += rates.readyInMs(rated) + lateMs * random();
    const available = rates.available(rated);
    rates.spend(rated, available);
    starts.push(...Array.from({ length: available }, () => nowMs));
  }
  return starts;
}

test.each([
  { requests: 10, periodMs: 1000, forMs: 30_000, lateMs: 40 },
  { requests: 3, periodMs: 1000, forMs: 30_000, lateMs: 90 },
  { requests: 1000, periodMs: 1000, forMs: 30_000, lateMs: 40 },
  { requests: 1, periodMs: 10_000, forMs: 600_000, lateMs: 90 },
])('$requests in $periodMs ms are held within 10 %, and never exceeded by more than a tenth of a second is worth', (run) => {
  const intervalMs = run.periodMs / run.requests;
  const starts = startsOf(run, run);
  const wanted = run.forMs / intervalMs;
  expect(starts.length).toBeGreaterThan(wanted * 0.9);
  expect(starts.length).toBeLessThanOrEqual(wanted * 1.1);
  let onTimeAtMs = 0;
  const aheadMs = starts.map((startMs) => {
    const ahead = onTimeAtMs - startMs;
    onTimeAtMs = Math.max(onTimeAtMs, startMs) + intervalMs;
    return ahead;
  });
  expect(Math.max(...aheadMs)).toBeLessThanOrEqual(Math.max(100 - intervalMs, Math.min(100, intervalMs / 2)) + 0.001);
});

test('who comes to a rate waits for an interval of it, a minute at most', () => {
  const readyInMs = (rate: Rate): number => createRateKeeper(() => 0).readyInMs(givenRated(rate, () => 0));
  expect(readyInMs({ requests: 10, periodMs: 1000 })).toBe(100);
  expect(readyInMs({ requests: 1, periodMs: 24 * 60 * 60_000 })).toBe(60_000);
});

test('what was claimed in vain is given back, and what has no rate has no limit', () => {
  let nowMs = 0;
  const rates = createRateKeeper(() => nowMs);
  const rated = givenRated({ requests: 100, periodMs: 1000 }, () => nowMs);
  rates.available(rated);
  nowMs = 10;
  expect(rates.available(rated)).toBe(1);
  rates.spend(rated, 1);
  expect(rates.available(rated)).toBe(0);
  rates.giveBack(rated, 1);
  expect(rates.available(rated)).toBe(1);
  rated.rate = null;
  expect(rates.available(rated)).toBe(Number.POSITIVE_INFINITY);
  expect(rates.readyInMs(rated)).toBe(0);
});

test('four workers hold 10 a second together within 10 % over 30 s', async () => {
  const run = new RatedRun({ requests: 10, periodMs: 1000 }, { workers: 4, backlog: 600 });
  for (const [name, value] of Object.entries(run.clock.globals)) {
    vi.stubGlobal(name, value);
  }
  const starts = await run.startsBetween(5000, 35_000);
  vi.unstubAllGlobals();
  expect(starts).toBeGreaterThanOrEqual(270);
  expect(starts).toBeLessThanOrEqual(330);
});
