import { retryAfterMsMax } from './limits.ts';

/** Why the attempts of a subscription are parked. */
export type ParkReason =
  /** It has a rate of its own, which one worker keeps for all. */
  | 'rate'
  /** More of its attempts are due than it may have in flight. */
  | 'over_cap'
  /** It answers far slower than others. */
  | 'slow'
  /** It answered 429 or 503 again and again. */
  | 'throttled'
  /** It answered 429 or 503 and said for how long. */
  | 'retry_after'
  /** It failed again and again with no success in between: its breaker opened. */
  | 'failing';

/**
 * How a subscription's receiver does. Times are in milliseconds of whatever clock the caller keeps. Attempts of parked subscriptions leave
 * the common queue and come back through their budget.
 */
export interface SubscriptionHealth {
  /** Null when its attempts are in the normal lane. */
  readonly parkReason: ParkReason | null;
  /** Nothing is sent before; null when nothing is held. A time that has passed means that the next request is a probe. */
  readonly holdUntilMs: number | null;
  /** Requests that may be in flight at once while parked. */
  readonly budget: number;
  /** Slow start doubles the budget up to this, and adds one after each success from there; null to double up to the cap. */
  readonly budgetGoal: number | null;
  /** Failures in a row, 429 and 503 aside. */
  readonly failures: number;
  /** Since when there was nothing but failure; null after a success. */
  readonly failingSinceMs: number | null;
  /** Goes up with each 429 and 503 and down with each success. */
  readonly throttling: number;
  /** Holds in a row without a success in between. */
  readonly holds: number;
}

/** What workers see of a receiver. Samples and faults of our own say nothing about it. */
export type HealthSignal =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed' }
  /** It answered that it does not want this event: it is there, and others may be welcome. */
  | { readonly kind: 'declined' }
  /** 429 or 503; `retryAfterMs` is null when the receiver did not say for how long. */
  | { readonly kind: 'throttled'; readonly retryAfterMs: number | null }
  /** Its attempts wait behind its cap, or it is much slower than others. */
  | {
      readonly kind: 'overloaded';
      readonly reason: 'over_cap' | 'slow';
      /** It has not answered lately, so that nobody knows whether it will. */
      readonly isUnproven?: boolean;
    }
  /** It has a rate of its own. */
  | { readonly kind: 'rate_limited' }
  /** None of its parked attempts is due or in flight. */
  | { readonly kind: 'drained'; readonly isSlow: boolean };

export interface HealthContext {
  readonly nowMs: number;
  /** Requests that may be in flight at once to this subscription. */
  readonly cap: number;
  readonly isRateLimited: boolean;
  /** Yields from 0 to below 1. */
  readonly random: () => number;
}

/** Nothing to say of it. */
export const healthy: SubscriptionHealth = {
  parkReason: null,
  holdUntilMs: null,
  budget: 1,
  budgetGoal: null,
  failures: 0,
  failingSinceMs: null,
  throttling: 0,
  holds: 0,
};

/**
 * Failures in a row, and since when there was no success, that open the breaker: a receiver that fails each event once or twice and takes its
 * retry does not, nor does one that restarts.
 */
export const breakerFailures = 10;
export const breakerFailingMs = 10_000;
const breakerHoldMs = 10_000;
const breakerHoldMsMax = 10 * 60_000;
const throttleHoldMs = 1000;
const throttleHoldMsMax = 5 * 60_000;
/** A 429 or 503 counts this much, and each success one less: a receiver that refuses more than a third of its requests is slowed down. */
const throttlingStep = 2;
const throttlingLimit = 4;
/** Holds end spread out, never early. */
const holdJitterRatio = 0.1;

/** Whether nothing may be sent now. */
export function isOnHold({ holdUntilMs }: SubscriptionHealth, nowMs: number): boolean {
  return holdUntilMs !== null && holdUntilMs > nowMs;
}

/** Whether a health says nothing that needs to be kept. */
export function isHealthy(health: SubscriptionHealth): boolean {
  return health.parkReason === null && health.failures === 0 && health.failingSinceMs === null && health.throttling === 0;
}

/** Whether there was nothing but failure for so long that the subscription is to be disabled. Asked after a failure. */
export function isHopeless({ failingSinceMs }: SubscriptionHealth, nowMs: number, disableAfterMs: number): boolean {
  return failingSinceMs !== null && nowMs - failingSinceMs >= disableAfterMs;
}

/** The health after a signal. Pure: what is parked, held and sent follows from it elsewhere. */
export function nextHealth(before: SubscriptionHealth, signal: HealthSignal, context: HealthContext): SubscriptionHealth {
  // The cap may have been lowered since.
  const health = before.budget > context.cap ? { ...before, budget: context.cap } : before;
  switch (signal.kind) {
    case 'succeeded':
      return afterSuccess(health, context);
    case 'failed':
      return afterFailure(health, context);
    case 'declined':
      // As good as a success for what it may get, and no success for how long there has been none.
      return { ...afterSuccess(health, context), failingSinceMs: health.failingSinceMs ?? context.nowMs };
    case 'throttled':
      return afterThrottle(health, signal.retryAfterMs, context);
    case 'overloaded':
      // Too many attempts say nothing against a receiver that answers: it keeps what it has. A slow one, and one that has not
      // answered yet, show what they can take: many that hang would have all slots of parked attempts otherwise.
      return health.parkReason === null
        ? park(health, signal.reason, signal.reason === 'over_cap' && !signal.isUnproven ? context.cap : 1)
        : health;
    case 'rate_limited':
      return health.parkReason === null ? park(health, 'rate', context.cap) : health;
    case 'drained':
      return afterDrain(health, signal.isSlow, context);
  }
}

function afterSuccess(health: SubscriptionHealth, { nowMs, cap }: HealthContext): SubscriptionHealth {
  const answered = {
    ...health,
    failures: 0,
    failingSinceMs: null,
    holds: 0,
    throttling: Math.max(0, health.throttling - 1),
  };
  if (health.parkReason === null || isOnHold(health, nowMs)) {
    // What was in flight when the hold began says nothing about its end.
    return answered;
  }
  const goal = Math.min(health.budgetGoal ?? cap, cap);
  const budget = health.budget < goal ? Math.min(goal, health.budget * 2) : health.budget + 1;
  return { ...answered, holdUntilMs: null, budget: Math.min(budget, cap) };
}

function afterFailure(health: SubscriptionHealth, context: HealthContext): SubscriptionHealth {
  const failed = { ...health, failures: health.failures + 1, failingSinceMs: health.failingSinceMs ?? context.nowMs };
  if (isOnHold(health, context.nowMs)) {
    return failed;
  }
  const isRun = context.nowMs - failed.failingSinceMs >= breakerFailingMs || health.parkReason === 'failing';
  const isDown = failed.failures >= breakerFailures && isRun;
  if (isDown || health.holds > 0) {
    return hold(failed, { reason: 'failing', forMs: backOff(breakerHoldMs, health.holds, breakerHoldMsMax), budgetGoal: null }, context);
  }
  const half = Math.max(1, Math.floor(health.budget / 2));
  return health.parkReason === null || health.parkReason === 'rate' ? failed : { ...failed, budget: half, budgetGoal: half };
}

function afterThrottle(health: SubscriptionHealth, retryAfterMs: number | null, context: HealthContext): SubscriptionHealth {
  const throttled = { ...health, failingSinceMs: health.failingSinceMs ?? context.nowMs };
  const budgetGoal = Math.max(1, Math.floor((health.parkReason === null ? context.cap : health.budget) / 2));
  if (retryAfterMs !== null && retryAfterMs > 0) {
    return hold(throttled, { reason: 'retry_after', forMs: retryAfterMs, forMsMax: retryAfterMsMax, budgetGoal }, context);
  }
  if (isOnHold(health, context.nowMs)) {
    return throttled;
  }
  const throttling = health.throttling + throttlingStep;
  if (throttling < throttlingLimit && health.holds === 0) {
    return { ...throttled, throttling };
  }
  const forMs = backOff(throttleHoldMs, health.holds, throttleHoldMsMax);
  return hold({ ...throttled, throttling: throttlingLimit - throttlingStep }, { reason: 'throttled', forMs, budgetGoal }, context);
}

/** Once nothing waits, a receiver that answers well has its attempts in the normal lane again; one with a rate never has. */
function afterDrain(health: SubscriptionHealth, isSlow: boolean, { nowMs, isRateLimited }: HealthContext): SubscriptionHealth {
  const isTroubled = isSlow || isOnHold(health, nowMs) || health.failures > 0 || health.holds > 0;
  if (health.parkReason === null || isTroubled) {
    return health;
  }
  return isRateLimited ? { ...health, parkReason: 'rate' } : { ...healthy, failingSinceMs: health.failingSinceMs };
}

function park(health: SubscriptionHealth, reason: ParkReason, budget: number): SubscriptionHealth {
  return { ...health, parkReason: reason, holdUntilMs: null, budget, budgetGoal: null };
}

interface Hold {
  readonly reason: ParkReason;
  readonly forMs: number;
  /** With jitter. */
  readonly forMsMax?: number;
  readonly budgetGoal: number | null;
}

/** A hold never ends earlier than one that is under way; the requests that were in flight when it began count as one. */
function hold(
  health: SubscriptionHealth,
  { reason, forMs, forMsMax = Number.POSITIVE_INFINITY, budgetGoal }: Hold,
  { nowMs, random }: HealthContext,
): SubscriptionHealth {
  const untilMs = nowMs + Math.min(forMs * (1 + holdJitterRatio * random()), forMsMax);
  const isUnderWay = isOnHold(health, nowMs);
  if (isUnderWay && (health.holdUntilMs ?? 0) >= untilMs) {
    return health;
  }
  return {
    ...health,
    parkReason: reason,
    holdUntilMs: untilMs,
    budget: 1,
    budgetGoal: isUnderWay ? health.budgetGoal : budgetGoal,
    holds: isUnderWay ? health.holds : health.holds + 1,
  };
}

function backOff(firstMs: number, holdsBefore: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** holdsBefore, maxMs);
}
