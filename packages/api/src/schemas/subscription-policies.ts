import { type DeliveryPolicy, policyBounds, refuseRetryPolicy, type RetryPolicy } from '@postrider/shared/domain/delivery-policy';
import { z } from 'zod';
import { optional } from '../http/schemas.ts';
import { duration } from './duration.ts';

const delay = duration(policyBounds.delayMsMin, policyBounds.delayMsMax);
const retries = z.int().min(0).max(policyBounds.retriesMax);

const retrySchedule = z
  .object({
    delays: optional(z.array(delay).max(policyBounds.delaysMax)),
    max_fast_retries: optional(retries),
    fast_retry_delay: optional(delay),
    fast_retry_max_delay: optional(delay),
    max_slow_retries: optional(retries),
    slow_retry_delay: optional(delay),
    slow_retry_max_delay: optional(delay),
  })
  .transform(({ delays, ...numbers }, context): RetryPolicy => {
    const hasNumbers = Object.values(numbers).some((value) => value !== null);
    if ((delays !== null) === hasNumbers) {
      context.addIssue({ code: 'custom', message: 'wanted either delays, or numbers of fast and slow retries' });
      return z.NEVER;
    }
    const policy =
      delays === null
        ? {
            maxFastRetries: numbers.max_fast_retries,
            fastDelayMs: numbers.fast_retry_delay,
            fastMaxDelayMs: numbers.fast_retry_max_delay,
            maxSlowRetries: numbers.max_slow_retries,
            slowDelayMs: numbers.slow_retry_delay,
            slowMaxDelayMs: numbers.slow_retry_max_delay,
          }
        : { delaysMs: delays };
    const refused = refuseRetryPolicy(policy);
    if (refused !== null) {
      context.addIssue({ code: 'custom', message: refused });
    }
    return policy;
  });

/** Members of a subscription that say how it wants to be delivered to; null, or left out, leaves it to the workers. */
export const policyMembers = {
  retry_schedule: optional(retrySchedule),
  timeout: optional(duration(policyBounds.timeoutMsMin, policyBounds.timeoutMsMax)),
  max_in_flight: optional(z.int().min(1).max(policyBounds.inFlightMax)),
  rate_limit: optional(
    z.object({
      requests: z.int().min(1).max(policyBounds.rateRequestsMax),
      period: duration(policyBounds.ratePeriodMsMin, policyBounds.ratePeriodMsMax),
    }),
  ),
};

const sentSeconds = z.int32().min(0);
const sentNumber = z.int32().min(0).nullable();

/** The same members as they are answered: durations in whole seconds. */
export const policyViewMembers = {
  retry_schedule: z
    .object({
      delays: z.array(sentSeconds).nullable(),
      max_fast_retries: sentNumber,
      fast_retry_delay: sentNumber,
      fast_retry_max_delay: sentNumber,
      max_slow_retries: sentNumber,
      slow_retry_delay: sentNumber,
      slow_retry_max_delay: sentNumber,
    })
    .nullable(),
  timeout: sentNumber,
  max_in_flight: sentNumber,
  rate_limit: z.object({ requests: sentSeconds, period: sentSeconds }).nullable(),
};

const policyPost = z.object(policyMembers);
const policyView = z.object(policyViewMembers);

/** The policy in a subscription that was sent. */
export function policyOf(post: z.output<typeof policyPost>): DeliveryPolicy {
  return {
    retrySchedule: post.retry_schedule,
    timeoutMs: post.timeout,
    inFlightMax: post.max_in_flight,
    rate: post.rate_limit && { requests: post.rate_limit.requests, periodMs: post.rate_limit.period },
  };
}

/** A policy as it is shown. */
export function policyViewOf(policy: DeliveryPolicy): z.output<typeof policyView> {
  return {
    retry_schedule: policy.retrySchedule && retryScheduleView(policy.retrySchedule),
    timeout: inSeconds(policy.timeoutMs),
    max_in_flight: policy.inFlightMax,
    rate_limit: policy.rate && { requests: policy.rate.requests, period: policy.rate.periodMs / 1000 },
  };
}

function retryScheduleView(policy: RetryPolicy): NonNullable<z.output<typeof policyView>['retry_schedule']> {
  const isList = 'delaysMs' in policy;
  return {
    delays: isList ? policy.delaysMs.map((delayMs) => delayMs / 1000) : null,
    max_fast_retries: isList ? null : policy.maxFastRetries,
    fast_retry_delay: isList ? null : inSeconds(policy.fastDelayMs),
    fast_retry_max_delay: isList ? null : inSeconds(policy.fastMaxDelayMs),
    max_slow_retries: isList ? null : policy.maxSlowRetries,
    slow_retry_delay: isList ? null : inSeconds(policy.slowDelayMs),
    slow_retry_max_delay: isList ? null : inSeconds(policy.slowMaxDelayMs),
  };
}

function inSeconds(durationMs: number | null): number | null {
  return durationMs === null ? null : durationMs / 1000;
}
