/** When failed attempts are tried again: fast at first, for receivers that restart, then slowly, for those that are down for long. */
export interface RetrySchedule {
  readonly maxFastRetries: number;
  readonly fastDelayMs: number;
  readonly fastMaxDelayMs: number;
  readonly maxSlowRetries: number;
  readonly slowDelayMs: number;
  readonly slowMaxDelayMs: number;
  /** The part of a delay that may be added to it at random. */
  readonly jitterRatio: number;
  readonly jitterMaxMs: number;
  /** The delay before each retry in turn, in place of both phases. */
  readonly delaysMs?: readonly number[];
}

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

export const defaultRetrySchedule: RetrySchedule = {
  maxFastRetries: 30,
  fastDelayMs: 5 * secondMs,
  fastMaxDelayMs: 5 * minuteMs,
  maxSlowRetries: 30,
  slowDelayMs: hourMs,
  slowMaxDelayMs: 4 * hourMs,
  jitterRatio: 0.1,
  jitterMaxMs: 15 * minuteMs,
};

/** Attempts that fail together must not come back together, however short their delay is. */
const jitterMinMs = secondMs;

/**
 * Milliseconds to wait, jitter aside, after the attempt with this `retryCount` (0 is the first) has failed; null when no retry is left.
 * Fast retry n waits `min(fastDelay * 2^n, fastMaxDelay)`, slow retry m `min(slowDelay * 2^m, slowMaxDelay)`.
 */
export function baseRetryDelayMs(schedule: RetrySchedule, retryCount: number): number | null {
  if (schedule.delaysMs) {
    return schedule.delaysMs[retryCount] ?? null;
  }
  if (retryCount < schedule.maxFastRetries) {
    return Math.min(schedule.fastDelayMs * 2 ** retryCount, schedule.fastMaxDelayMs);
  }
  const slowRetry = retryCount - schedule.maxFastRetries;
  return slowRetry < schedule.maxSlowRetries ? Math.min(schedule.slowDelayMs * 2 ** slowRetry, schedule.slowMaxDelayMs) : null;
}

/** The widest jitter of a delay in milliseconds: its share of the delay, at least a second, at most the schedule's limit. */
export function jitterWindowMs(schedule: RetrySchedule, delayMs: number): number {
  return Math.min(Math.max(delayMs * schedule.jitterRatio, jitterMinMs), schedule.jitterMaxMs);
}

/** The delay with its jitter, which is only ever added: nothing is early. Null when no retry is left. `random` yields from 0 to below 1. */
export function retryDelayMs(schedule: RetrySchedule, retryCount: number, random: () => number): number | null {
  const delayMs = baseRetryDelayMs(schedule, retryCount);
  return delayMs === null ? null : delayMs + jitterWindowMs(schedule, delayMs) * random();
}

/** The longest time in milliseconds from the first failure to the last retry, requests aside. */
export function worstCaseMs(schedule: RetrySchedule): number {
  let totalMs = 0;
  for (let retryCount = 0; retryCount < schedule.maxFastRetries + schedule.maxSlowRetries; retryCount += 1) {
    const delayMs = baseRetryDelayMs(schedule, retryCount) ?? 0;
    totalMs += delayMs + jitterWindowMs(schedule, delayMs);
  }
  return totalMs;
}
