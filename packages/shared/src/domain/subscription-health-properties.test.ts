import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { retryAfterMsMax } from './limits.ts';
import {
  breakerFailingMs,
  breakerFailures,
  type HealthContext,
  type HealthSignal,
  healthy,
  isHealthy,
  isHopeless,
  isOnHold,
  nextHealth,
  type SubscriptionHealth,
} from './subscription-health.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** A signal, how long after the one before it comes, and what the subscription is then. */
interface Step {
  readonly signal: HealthSignal;
  readonly afterMs: number;
  readonly cap: number;
  readonly isRateLimited: boolean;
  readonly random: number;
}

const throttled = fc.record({
  kind: fc.constant('throttled' as const),
  retryAfterMs: fc.option(fc.oneof(fc.integer({ min: 0, max: 120_000 }), fc.integer({ min: 0, max: 100 * hour }))),
});
const failure: fc.Arbitrary<HealthSignal> = fc.oneof(fc.constant({ kind: 'failed' } as const), throttled);
const signals: fc.Arbitrary<HealthSignal> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'succeeded' } as const) },
  { weight: 6, arbitrary: fc.constant({ kind: 'failed' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'declined' } as const) },
  { weight: 3, arbitrary: throttled },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('overloaded' as const), reason: fc.constantFrom('over_cap' as const, 'slow' as const) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'rate_limited' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drained' as const), isSlow: fc.boolean() }) },
);
/** Within a hold, about its end, and long after. */
const delays = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 700_000 }), fc.integer({ min: 0, max: 12 * hour }));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function stepsOf(signal: fc.Arbitrary<HealthSignal>): fc.Arbitrary<Step[]> {
  const step = fc.record({ signal, afterMs: delays, cap: fc.integer({ min: 1, max: 40 }), isRateLimited: fc.boolean(), random });
  return fc.array(step, { maxLength: 60, size: 'max' });
}

interface Transition {
  readonly before: SubscriptionHealth;
  readonly after: SubscriptionHealth;
  readonly step: Step;
  readonly nowMs: number;
}

/** What a healthy subscription goes through. */
function transitionsOf(steps: readonly Step[]): Transition[] {
  let health = healthy;
  let nowMs = 0;
  return steps.map((step) => {
    nowMs += step.afterMs;
    const before = health;
    health = nextHealth(before, step.signal, { nowMs, cap: step.cap, isRateLimited: step.isRateLimited, random: () => step.random });
    return { before, after: health, step, nowMs };
  });
}

/** Where it ends: its health, and the time. */
function reach(steps: readonly Step[]): { health: SubscriptionHealth; nowMs: number } {
  const last = transitionsOf(steps).at(-1);
  return { health: last?.after ?? healthy, nowMs: last?.nowMs ?? 0 };
}

function contextAt(nowMs: number, cap: number): HealthContext {
  return { nowMs, cap, isRateLimited: false, random: () => 0 };
}

function checkEach(holds: (transition: Transition) => boolean): void {
  fc.assert(
    fc.property(stepsOf(signals), (steps) => transitionsOf(steps).every(holds)),
    { numRuns: 2000 },
  );
}

describe('whatever happens', () => {
  test('a hold gets no shorter', () => {
    checkEach(({ before, after, nowMs }) => !isOnHold(before, nowMs) || (after.holdUntilMs ?? 0) >= (before.holdUntilMs ?? 0));
  });

  test('only a Retry-After lengthens a hold', () => {
    checkEach(({ before, after, step: { signal }, nowMs }) => {
      const mayLengthen = signal.kind === 'throttled' && (signal.retryAfterMs ?? 0) > 0;
      return !isOnHold(before, nowMs) || mayLengthen || after.holdUntilMs === before.holdUntilMs;
    });
  });

  test('a hold lasts ten hours at most', () => {
    checkEach(({ before, after, nowMs }) => {
      return after.holdUntilMs === null || after.holdUntilMs === before.holdUntilMs || after.holdUntilMs - nowMs <= retryAfterMsMax;
    });
  });

  test('a hold lasts for as long as the receiver asked for', () => {
    checkEach(({ after, step: { signal }, nowMs }) => {
      const asked = signal.kind === 'throttled' ? (signal.retryAfterMs ?? 0) : 0;
      return asked === 0 || (after.holdUntilMs ?? 0) >= nowMs + Math.min(asked, retryAfterMsMax);
    });
  });

  test('the budget is at least one and at most the cap, whatever the cap was before', () => {
    checkEach(({ after, step: { cap } }) => after.budget >= 1 && after.budget <= cap && Number.isInteger(after.budget));
  });

  test('what begins with a hold begins with one request', () => {
    checkEach(({ before, after, nowMs }) => !isOnHold(after, nowMs) || isOnHold(before, nowMs) || after.budget === 1);
  });

  test('what is on hold is parked', () => {
    checkEach(({ after }) => after.holdUntilMs === null || after.parkReason !== null);
  });

  test('what stays as it is stays the same object, so that nothing needs to be written', () => {
    checkEach(({ before, step: { signal }, after }) => {
      return signal.kind !== 'overloaded' || before.parkReason === null || before.budget > after.budget || after === before;
    });
  });

  test('enough successes, and nothing that waits, lead back to the normal lane', () => {
    fc.assert(
      fc.property(stepsOf(signals), fc.integer({ min: 1, max: 40 }), (steps, cap) => {
        const reached = reach(steps);
        const nowMs = Math.max(reached.nowMs, reached.health.holdUntilMs ?? 0);
        let { health } = reached;
        for (let successes = 0; successes < 5; successes += 1) {
          health = nextHealth(health, { kind: 'succeeded' }, contextAt(nowMs, cap));
        }
        health = nextHealth(health, { kind: 'drained', isSlow: false }, contextAt(nowMs, cap));
        expect(health).toEqual(healthy);
        expect(isHealthy(health)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('enough successes lead to the cap', () => {
    fc.assert(
      fc.property(stepsOf(signals), fc.integer({ min: 1, max: 40 }), (steps, cap) => {
        const reached = reach(steps);
        const nowMs = Math.max(reached.nowMs, reached.health.holdUntilMs ?? 0);
        let { health } = reached;
        for (let successes = 0; successes < 50; successes += 1) {
          health = nextHealth(health, { kind: 'succeeded' }, contextAt(nowMs, cap));
        }
        return health.parkReason === null ? health.budget === 1 : health.budget === cap && health.holdUntilMs === null;
      }),
      { numRuns: 1000 },
    );
  });
});

test('a run of failures opens the breaker, and the slow start after it doubles up to the cap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: breakerFailures, max: 100 }), (cap, failures) => {
      let health = healthy;
      for (let failed = 0; failed < failures; failed += 1) {
        health = nextHealth(health, { kind: 'failed' }, contextAt(failed === 0 ? -breakerFailingMs : 0, cap));
      }
      // Those beyond the tenth were in flight: they count as one with it.
      expect(health).toMatchObject({ parkReason: 'failing', holdUntilMs: 10_000, holds: 1, failures });
      const budgets = [health.budget];
      while ((budgets.at(-1) ?? 0) < cap) {
        health = nextHealth(health, { kind: 'succeeded' }, contextAt(10_000, cap));
        budgets.push(health.budget);
      }
      expect(budgets).toEqual(budgets.map((_budget, index) => Math.min(2 ** index, cap)));
    }),
  );
});

test('each failed probe doubles the hold of the breaker, up to ten minutes', () => {
  let health: SubscriptionHealth = { ...healthy, failures: breakerFailures - 1, failingSinceMs: -breakerFailingMs };
  let nowMs = 0;
  const holdsMs: number[] = [];
  for (let probes = 0; probes < 9; probes += 1) {
    health = nextHealth(health, { kind: 'failed' }, contextAt(nowMs, 8));
    holdsMs.push((health.holdUntilMs ?? 0) - nowMs);
    nowMs = health.holdUntilMs ?? 0;
  }
  expect(holdsMs).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600].map((seconds) => seconds * 1000));
});

test('nothing but failure is hopeless once it has lasted for long enough, and one success begins anew', () => {
  fc.assert(
    fc.property(stepsOf(failure), fc.integer({ min: 1, max: 5 * day }), (steps, disableAfterMs) => {
      const transitions = transitionsOf(steps);
      const beganMs = transitions[0]?.nowMs ?? 0;
      for (const { after, nowMs } of transitions) {
        expect(isHopeless(after, nowMs, disableAfterMs)).toBe(nowMs - beganMs >= disableAfterMs);
      }
      const { health, nowMs } = reach(steps);
      const answered = nextHealth(health, { kind: 'succeeded' }, contextAt(nowMs, 8));
      expect(isHopeless(answered, nowMs + 100 * day, disableAfterMs)).toBe(false);
    }),
    { numRuns: 1000 },
  );
});
