import { describe, expect, test } from 'vitest';
import {
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

const nowMs = 1_000_000;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const context: HealthContext = { nowMs, cap: 8, isRateLimited: false, random: () => 0 };
const succeeded: HealthSignal = { kind: 'succeeded' };
const failed: HealthSignal = { kind: 'failed' };
const refused: HealthSignal = { kind: 'throttled', retryAfterMs: null };
const toldToWait = (retryAfterMs: number): HealthSignal => ({ kind: 'throttled', retryAfterMs });
const overCap: HealthSignal = { kind: 'overloaded', reason: 'over_cap' };
const slow: HealthSignal = { kind: 'overloaded', reason: 'slow' };
const rateLimited: HealthSignal = { kind: 'rate_limited' };
const declined: HealthSignal = { kind: 'declined' };
const drained: HealthSignal = { kind: 'drained', isSlow: false };

/** Nine failures: the next one opens the breaker. */
const troubled: Partial<SubscriptionHealth> = { failures: breakerFailures - 1, failingSinceMs: nowMs - minute };
/** On hold for ten seconds more. */
const open: Partial<SubscriptionHealth> = {
  parkReason: 'failing',
  holdUntilMs: nowMs + 10 * second,
  failures: breakerFailures,
  failingSinceMs: nowMs - minute,
  holds: 1,
};
/** The hold is over, and its probe not answered. */
const halfOpen: Partial<SubscriptionHealth> = { ...open, holdUntilMs: nowMs };
const asked: Partial<SubscriptionHealth> = {
  parkReason: 'retry_after',
  holdUntilMs: nowMs + minute,
  budgetGoal: 4,
  failingSinceMs: nowMs - minute,
  holds: 1,
};
const busy: Partial<SubscriptionHealth> = { parkReason: 'over_cap', budget: 8 };

type Case = [name: string, before: Partial<SubscriptionHealth>, signal: HealthSignal, after: Partial<SubscriptionHealth>];

describe('in the normal lane', () => {
  test.each<Case>([
    ['a success changes nothing', {}, succeeded, {}],
    ['a success forgets failures', troubled, succeeded, {}],
    ['a success counts against refusals', { throttling: 3, failingSinceMs: nowMs }, succeeded, { throttling: 2 }],
    ['a failure is counted', {}, failed, { failures: 1, failingSinceMs: nowMs }],
    ['a further one, too', { failures: 1, failingSinceMs: 7 }, failed, { failures: 2, failingSinceMs: 7 }],
    ['the tenth opens the breaker', troubled, failed, { ...open, holdUntilMs: nowMs + 10 * second }],
    [
      'the tenth within ten seconds does not',
      { ...troubled, failingSinceMs: nowMs - 10 * second + 1 },
      failed,
      { failures: breakerFailures, failingSinceMs: nowMs - 10 * second + 1 },
    ],
    ['an event that it does not want is no failure, and no success', {}, declined, { failingSinceMs: nowMs }],
    ['and forgets those before it', troubled, declined, { failingSinceMs: nowMs - minute }],
    ['a refusal is counted, and is no failure', {}, refused, { throttling: 2, failingSinceMs: nowMs }],
    [
      'two refusals hold it and leave it half of its cap',
      { throttling: 2, failingSinceMs: nowMs },
      refused,
      { parkReason: 'throttled', holdUntilMs: nowMs + second, budgetGoal: 4, throttling: 2, failingSinceMs: nowMs, holds: 1 },
    ],
    ['a pause that was asked for is kept', {}, toldToWait(minute), { ...asked, failingSinceMs: nowMs }],
    ['a Retry-After of 0 says nothing', {}, toldToWait(0), { throttling: 2, failingSinceMs: nowMs }],
    [
      'more than ten hours are not waited for',
      {},
      toldToWait(24 * hour),
      { ...asked, holdUntilMs: nowMs + 10 * hour, failingSinceMs: nowMs },
    ],
    ['too many that are due are parked with all that it may have', {}, overCap, busy],
    ['too many of one that has not answered begin with one', {}, { ...overCap, isUnproven: true }, { ...busy, budget: 1 }],
    ['a slow receiver is parked and shows what it can take', {}, slow, { parkReason: 'slow' }],
    ['a rate parks', {}, rateLimited, { parkReason: 'rate', budget: 8 }],
    ['that nothing waits says nothing', { failures: 1, failingSinceMs: nowMs }, drained, { failures: 1, failingSinceMs: nowMs }],
  ])('%s', (_name, before, signal, after) => {
    expect(nextHealth({ ...healthy, ...before }, signal, context)).toEqual({ ...healthy, ...after });
  });
});

describe('on hold', () => {
  test.each<Case>([
    ['a success of what was in flight ends no hold', open, succeeded, { parkReason: 'failing', holdUntilMs: nowMs + 10 * second }],
    ['a failure is counted and lengthens nothing', open, failed, { ...open, failures: breakerFailures + 1 }],
    ['a refusal lengthens nothing', open, refused, open],
    ['a shorter pause that is asked for shortens nothing', open, toldToWait(5 * second), open],
    [
      'a longer one lengthens the hold and is not counted as one',
      open,
      toldToWait(minute),
      { ...open, parkReason: 'retry_after', holdUntilMs: nowMs + minute },
    ],
    ['a longer one keeps the goal', asked, toldToWait(hour), { ...asked, holdUntilMs: nowMs + hour }],
    ['more that are due change nothing', open, overCap, open],
    ['being slow changes nothing', open, slow, open],
    ['a rate changes nothing', open, rateLimited, open],
    ['it is not over because nothing waits', { ...open, failingSinceMs: null }, drained, { ...open, failingSinceMs: null }],
  ])('%s', (_name, before, signal, after) => {
    expect(nextHealth({ ...healthy, ...before }, signal, context)).toEqual({ ...healthy, ...after });
  });
});

describe('after a hold', () => {
  test.each<Case>([
    ['a success begins the slow start', halfOpen, succeeded, { parkReason: 'failing', budget: 2 }],
    [
      'a success after a pause that was asked for heads for half of the cap',
      { ...asked, holdUntilMs: nowMs },
      succeeded,
      { parkReason: 'retry_after', budget: 2, budgetGoal: 4 },
    ],
    [
      'a failure holds it twice as long',
      halfOpen,
      failed,
      { ...open, holdUntilMs: nowMs + 20 * second, failures: breakerFailures + 1, holds: 2 },
    ],
    [
      'it is held for ten minutes at most',
      { ...halfOpen, holds: 30 },
      failed,
      { ...open, holdUntilMs: nowMs + 10 * minute, failures: breakerFailures + 1, holds: 31 },
    ],
    [
      'one refusal is enough to hold it again',
      { ...asked, holdUntilMs: nowMs, budget: 1 },
      refused,
      { ...asked, parkReason: 'throttled', holdUntilMs: nowMs + 2 * second, budgetGoal: 1, throttling: 2, holds: 2 },
    ],
    [
      'refusals hold it for five minutes at most',
      { ...asked, holdUntilMs: nowMs, holds: 30 },
      refused,
      { ...asked, parkReason: 'throttled', holdUntilMs: nowMs + 5 * minute, budgetGoal: 1, throttling: 2, holds: 31 },
    ],
    ['that nothing waits is no success', halfOpen, drained, halfOpen],
  ])('%s', (_name, before, signal, after) => {
    expect(nextHealth({ ...healthy, ...before }, signal, context)).toEqual({ ...healthy, ...after });
  });
});

describe('parked and not on hold', () => {
  test.each<Case>([
    [
      'a success doubles the budget up to the goal',
      { parkReason: 'slow', budget: 3, budgetGoal: 5 },
      succeeded,
      { parkReason: 'slow', budget: 5, budgetGoal: 5 },
    ],
    [
      'from there each success adds one',
      { parkReason: 'slow', budget: 5, budgetGoal: 5 },
      succeeded,
      { parkReason: 'slow', budget: 6, budgetGoal: 5 },
    ],
    ['without a goal it doubles up to the cap', { parkReason: 'slow', budget: 5 }, succeeded, { parkReason: 'slow', budget: 8 }],
    ['the cap is the limit', busy, succeeded, busy],
    ['a cap that was lowered is obeyed', { ...busy, budget: 40 }, succeeded, busy],
    ['a cap that was lowered is obeyed whatever comes', { ...busy, budget: 40 }, slow, busy],
    ['a failure halves the budget', busy, failed, { ...busy, budget: 4, budgetGoal: 4, failures: 1, failingSinceMs: nowMs }],
    ['a failure leaves a probe', { parkReason: 'slow' }, failed, { parkReason: 'slow', budgetGoal: 1, failures: 1, failingSinceMs: nowMs }],
    [
      'a failure leaves the budget of a rate alone',
      { parkReason: 'rate', budget: 8 },
      failed,
      { parkReason: 'rate', budget: 8, failures: 1, failingSinceMs: nowMs },
    ],
    ['the tenth opens the breaker', { ...busy, ...troubled }, failed, open],
    ['the tenth opens the breaker of a rate', { parkReason: 'rate', budget: 8, ...troubled }, failed, open],
    [
      'refusals leave it half of its budget',
      { ...busy, budget: 6, throttling: 2, failingSinceMs: nowMs },
      refused,
      { parkReason: 'throttled', holdUntilMs: nowMs + second, budgetGoal: 3, throttling: 2, failingSinceMs: nowMs, holds: 1 },
    ],
    ['being slow changes no reason', busy, slow, busy],
    ['a rate changes no reason', { parkReason: 'slow', budget: 2 }, rateLimited, { parkReason: 'slow', budget: 2 }],
    ['when nothing waits it is healthy', { ...busy, throttling: 1 }, drained, {}],
    [
      'when nothing waits and it is slow, it stays',
      { parkReason: 'slow', budget: 4 },
      { kind: 'drained', isSlow: true },
      { parkReason: 'slow', budget: 4 },
    ],
    [
      'when nothing waits after a failure, it stays',
      { ...busy, failures: 1, failingSinceMs: 7 },
      drained,
      { ...busy, failures: 1, failingSinceMs: 7 },
    ],
  ])('%s', (_name, before, signal, after) => {
    expect(nextHealth({ ...healthy, ...before }, signal, context)).toEqual({ ...healthy, ...after });
  });

  test('with a rate it is never in the normal lane', () => {
    const after = nextHealth({ ...healthy, ...busy }, drained, { ...context, isRateLimited: true });
    expect(after).toEqual({ ...healthy, parkReason: 'rate', budget: 8 });
    expect(nextHealth(after, drained, { ...context, isRateLimited: true })).toEqual(after);
    expect(nextHealth(after, drained, context)).toEqual(healthy);
  });
});

test('holds end up to a tenth later, never early', () => {
  const late = { ...context, random: () => 0.5 };
  expect(nextHealth({ ...healthy, ...troubled }, failed, late).holdUntilMs).toBe(nowMs + 10.5 * second);
  expect(nextHealth(healthy, toldToWait(100 * second), late).holdUntilMs).toBe(nowMs + 105 * second);
});

test('a hold is under way until its time, not at it', () => {
  expect(isOnHold({ ...healthy, ...open }, nowMs)).toBe(true);
  expect(isOnHold({ ...healthy, ...open }, nowMs + 10 * second)).toBe(false);
  expect(isOnHold(healthy, nowMs)).toBe(false);
});

test.each<[name: string, health: Partial<SubscriptionHealth>, wanted: boolean]>([
  ['nothing', {}, true],
  ['a failure', { failures: 1 }, false],
  ['a time of failure', { failingSinceMs: 7 }, false],
  ['refusals', { throttling: 1 }, false],
  ['a park', busy, false],
])('of %s is to be kept unless healthy', (_name, health, wanted) => {
  expect(isHealthy({ ...healthy, ...health })).toBe(wanted);
});

test('nothing but failure for long enough is hopeless, and not a moment before', () => {
  const health = { ...healthy, failingSinceMs: nowMs - 5 * 24 * hour };
  expect(isHopeless(health, nowMs, 5 * 24 * hour)).toBe(true);
  expect(isHopeless(health, nowMs - 1, 5 * 24 * hour)).toBe(false);
  expect(isHopeless(healthy, nowMs, 0)).toBe(false);
});
