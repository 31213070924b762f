import { baseRetryDelayMs, defaultRetrySchedule, type RetrySchedule } from './retry-schedule.ts';

const secondMs = 1000;
const hourMs = 60 * 60 * secondMs;
const dayMs = 24 * hourMs;

/** Bounds of what a subscription may ask for. */
export const policyBounds = {
  /** As many as make a schedule readable; the phases go further. */
  delaysMax: 100,
  /** Of each phase. */
  retriesMax: 1000,
  /** Shorter ones would only repeat what failed a moment ago. */
  delayMsMin: secondMs,
  delayMsMax: 7 * dayMs,
  /** Delays of a schedule together: events are not kept for ever. */
  scheduleMsMax: 30 * dayMs,
  timeoutMsMin: secondMs,
  timeoutMsMax: 120 * secondMs,
  inFlightMax: 1000,
  rateRequestsMax: 1_000_000,
  ratePeriodMsMin: secondMs,
  ratePeriodMsMax: dayMs,
} as const;

/** The delay before each retry in turn; none at all means no retries. */
export interface DelayList {
  readonly delaysMs: readonly number[];
}

/** Fast and slow retries as in the settings of workers; null leaves a number to those. */
export interface RetryPhases {
  readonly maxFastRetries: number | null;
  readonly fastDelayMs: number | null;
  readonly fastMaxDelayMs: number | null;
  readonly maxSlowRetries: number | null;
  readonly slowDelayMs: number | null;
  readonly slowMaxDelayMs: number | null;
}

export type RetryPolicy = DelayList | RetryPhases;

/** How a subscription wants to be delivered to; null leaves it to the settings of the workers. */
export interface DeliveryPolicy {
  readonly retrySchedule: RetryPolicy | null;
  /** Over DNS, connection, headers and body; the worker's own timeout is the upper limit. */
  readonly timeoutMs: number | null;
  /** Requests at once, per worker. */
  readonly inFlightMax: number | null;
  readonly rate: { readonly requests: number; readonly periodMs: number } | null;
}

/** Everything is left to the workers. */
export const noPolicy: DeliveryPolicy = { retrySchedule: null, timeoutMs: null, inFlightMax: null, rate: null };

/** Why a schedule cannot be taken; null when it can. Numbers left out count as their defaults. */
export function refuseRetryPolicy(policy: RetryPolicy): string | null {
  if ('delaysMs' in policy) {
    return policy.delaysMs.reduce((sum, delayMs) => sum + delayMs, 0) > policyBounds.scheduleMsMax ? tooLong : null;
  }
  const schedule = retryScheduleFor(policy, defaultRetrySchedule);
  if (schedule.fastDelayMs > schedule.fastMaxDelayMs || schedule.slowDelayMs > schedule.slowMaxDelayMs) {
    return 'a delay is longer than the longest delay of its phase';
  }
  let totalMs = 0;
  for (let retryCount = 0; ; retryCount += 1) {
    const delayMs = baseRetryDelayMs(schedule, retryCount);
    if (delayMs === null) {
      return null;
    }
    totalMs += delayMs;
    if (totalMs > policyBounds.scheduleMsMax) {
      return tooLong;
    }
  }
}

const tooLong = 'the delays make more than 30 days together';

/** The schedule of a subscription: its own where it says something, and the worker's elsewhere. Jitter is always the worker's. */
export function retryScheduleFor(policy: RetryPolicy | null, schedule: RetrySchedule): RetrySchedule {
  if (policy === null) {
    return schedule;
  }
  if ('delaysMs' in policy) {
    return { ...schedule, delaysMs: policy.delaysMs };
  }
  return {
    ...schedule,
    maxFastRetries: policy.maxFastRetries ?? schedule.maxFastRetries,
    fastDelayMs: policy.fastDelayMs ?? schedule.fastDelayMs,
    fastMaxDelayMs: policy.fastMaxDelayMs ?? schedule.fastMaxDelayMs,
    maxSlowRetries: policy.maxSlowRetries ?? schedule.maxSlowRetries,
    slowDelayMs: policy.slowDelayMs ?? schedule.slowDelayMs,
    slowMaxDelayMs: policy.slowMaxDelayMs ?? schedule.slowMaxDelayMs,
  };
}
