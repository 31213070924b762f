import type { RequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import { type BucketLimit, takeToken } from '@postrider/shared/domain/token-bucket';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSharedBuckets, type SharedBuckets } from './shared-buckets.ts';

const never = () => new Promise<void>(() => {});

/** The bucket that the database keeps, on a clock that the test moves. */
function createStore(limit: BucketLimit) {
  const clock = { nowMs: 5000 };
  let fullAtMs = 0;
  let leases = 0;
  return {
    clock,
    leases: () => leases,
    async lease(_key: string, wanted: number): Promise<RequestTokens> {
      leases += 1;
      let granted = 0;
      let taken = takeToken(limit, fullAtMs, clock.nowMs);
      while (taken.isTaken && granted < wanted) {
        granted += 1;
        ({ fullAtMs } = taken);
        taken = takeToken(limit, fullAtMs, clock.nowMs);
      }
      const fullInMs = Math.max(0, fullAtMs - clock.nowMs);
      const nextInMs = Math.max(0, fullInMs - (limit.burst - 1) * limit.periodMs);
      return { granted, remaining: Math.floor(limit.burst - fullInMs / limit.periodMs), full_in_ms: fullInMs, next_in_ms: nextInMs };
    },
  };
}

type Store = ReturnType<typeof createStore>;

function createInstance(limit: BucketLimit, store: Store, changes: Partial<Parameters<typeof createSharedBuckets>[0]> = {}): SharedBuckets {
  return createSharedBuckets({
    limit,
    lease: store.lease,
    onFallback: () => {},
    wait: never,
    now: () => store.clock.nowMs,
    ...changes,
  });
}

const limits = fc.record({ burst: fc.integer({ min: 1, max: 2000 }), periodMs: fc.integer({ min: 1, max: 200 }) });

test('under a flood instances together give burst and refill, within 10 %', async () => {
  await fc.assert(
    fc.asyncProperty(
      limits,
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.nat(), { minLength: 5, maxLength: 20 }),
      async (limit, count, picks) => {
        const store = createStore(limit);
        const instances = Array.from({ length: count }, () => createInstance(limit, store));
        const forMs = limit.periodMs * limit.burst;
        let given = 0;
        const steps = 400;
        for (let step = 0; step <= steps; step += 1) {
          // As many requests as would empty the bucket four times over, at instances in no order.
          const requests = Math.max(2, Math.ceil((limit.burst * 8) / steps));
          for (let request = 0; request < requests + (step === 0 ? limit.burst * 2 : 0); request += 1) {
            const pick = picks[(step * 7 + request) % picks.length] ?? 0;
            const taken = await instances[(pick + request) % count]?.take('token');
            given += taken?.isTaken ? 1 : 0;
          }
          store.clock.nowMs += forMs / steps;
        }
        const expected = limit.burst + (forMs * (steps + 1)) / steps / limit.periodMs;
        expect(given).toBeLessThanOrEqual(Math.ceil(expected * 1.1));
        expect(given).toBeGreaterThanOrEqual(Math.floor(expected * 0.9) - 1);
      },
    ),
    { numRuns: 20 },
  );
});

test('at any time instances together never give more than burst and refill and what they had leased', async () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 0, max: 500 })), { minLength: 1, maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(limits, steps, async (limit, requests) => {
      const store = createStore(limit);
      const instances = Array.from({ length: 3 }, () => createInstance(limit, store));
      const taken: number[] = [];
      for (const [instance, afterMs] of requests) {
        store.clock.nowMs += afterMs;
        if ((await instances[instance]?.take('token'))?.isTaken) {
          taken.push(store.clock.nowMs);
        }
      }
      const held = 3 * Math.max(1, Math.floor(limit.burst / 30));
      for (const [first, from] of taken.entries()) {
        for (const [further, to] of taken.slice(first).entries()) {
          expect(further + 1).toBeLessThanOrEqual(limit.burst + (to - from) / limit.periodMs + held + 1e-3);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('leases in chunks, and not at all while it is refused', async () => {
  const limit = { burst: 300, periodMs: 1000 };
  const store = createStore(limit);
  const instance = createInstance(limit, store);
  const answers = [];
  for (let request = 0; request < 1000; request += 1) {
    answers.push(await instance.take('token'));
  }
  expect(answers.filter(({ isTaken }) => isTaken)).toHaveLength(300);
  expect(answers.at(-1)).toMatchObject({ isTaken: false, remaining: 0, nextInMs: 1000 });
  expect(store.leases()).toBe(31);
});

test('requests that come together share a lease', async () => {
  const limit = { burst: 20, periodMs: 1000 };
  const store = createStore(limit);
  const instance = createInstance(limit, store);
  const answers = await Promise.all(Array.from({ length: 50 }, () => instance.take('token')));
  expect(answers.filter(({ isTaken }) => isTaken)).toHaveLength(20);
  expect(store.leases()).toBeLessThanOrEqual(3);
});

test('limits by itself while the database is away, and asks it again after a while', async () => {
  const limit = { burst: 2, periodMs: 60_000 };
  const store = createStore(limit);
  const failures: unknown[] = [];
  let isAway = true;
  const instance = createInstance(limit, store, {
    lease: (key, wanted) => (isAway ? Promise.reject(new Error('away')) : store.lease(key, wanted)),
    onFallback: (error) => failures.push(error),
  });
  const take = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => instance.take('token')));
    return answers.filter(({ isTaken }) => isTaken).length;
  };
  expect(await take(3)).toBe(2);
  expect(await take(3)).toBe(0);
  expect(failures).toHaveLength(1);
  isAway = false;
  store.clock.nowMs += 4000;
  expect(await take(3)).toBe(0);
  store.clock.nowMs += 2000;
  expect(await take(3)).toBe(2);
});

test('waits no longer for the database than its limit', async () => {
  const limit = { burst: 2, periodMs: 60_000 };
  const waits: number[] = [];
  const instance = createInstance(limit, createStore(limit), {
    lease: () => new Promise(() => {}),
    async wait(delayMs) {
      waits.push(delayMs);
    },
  });
  expect(await instance.take('token')).toMatchObject({ isTaken: true });
  expect(waits).toEqual([500]);
});
