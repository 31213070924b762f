import { retryAfterMsMax } from './limits.ts';
import { type DeliveryOutcome, isSuccess } from './outcome.ts';
import { type RetrySchedule, retryDelayMs } from './retry-schedule.ts';

/** Why a failed attempt is not tried again. */
export type GiveUpReason = 'retries_exhausted' | 'gone' | 'invalid_header' | 'test';

/** What follows an outcome. */
export type NextStep =
  | { readonly kind: 'succeed' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** The fault was ours: tried again without using up one of the receiver's retries. */
  | { readonly kind: 'retry_uncounted'; readonly delayMs: number }
  | { readonly kind: 'give_up'; readonly reason: GiveUpReason };

export interface Decision {
  /** Of the attempt that ended; 0 is the first. */
  readonly retryCount: number;
  /** A sample that somebody asked for: sent once, and what it meets says nothing about the subscription. */
  readonly isTest: boolean;
  readonly outcome: DeliveryOutcome;
  readonly schedule: RetrySchedule;
  /** Yields from 0 to below 1. */
  readonly random: () => number;
}

/** Long enough for sockets and memory to come back, short enough not to delay the receiver noticeably. */
const ownFaultDelayMs = 5000;
const ownFaultJitterMs = 5000;

/** The receiver will never take events again (RFC 9110, section 15.5.11). */
const statusGone = 410;
/** Statuses whose `Retry-After` says when the receiver wants to be asked again (RFC 6585, section 4; RFC 9110, section 15.6.4). */
const statusesThatAskToWait: ReadonlySet<number> = new Set([429, 503]);

/** Decides what follows an attempt. Disabling the subscription after `gone` is the caller's business. */
export function decideNextStep({ retryCount, isTest, outcome, schedule, random }: Decision): NextStep {
  if (isSuccess(outcome)) {
    return { kind: 'succeed' };
  }
  if (outcome.kind === 'own_fault') {
    return { kind: 'retry_uncounted', delayMs: ownFaultDelayMs + ownFaultJitterMs * random() };
  }
  if (isTest) {
    return { kind: 'give_up', reason: 'test' };
  }
  if (outcome.kind === 'error' && outcome.errorName === 'E_INVALID_HEADER') {
    return { kind: 'give_up', reason: 'invalid_header' };
  }
  if (outcome.kind === 'response' && outcome.response.httpCode === statusGone) {
    return { kind: 'give_up', reason: 'gone' };
  }
  const delayMs = retryDelayMs(schedule, retryCount, random);
  return delayMs === null
    ? { kind: 'give_up', reason: 'retries_exhausted' }
    : { kind: 'retry', delayMs: Math.max(delayMs, askedDelayMs(outcome)) };
}

/** Whether a receiver asked for a pause: 429 or 503. */
export function asksToWait(outcome: DeliveryOutcome): outcome is Extract<DeliveryOutcome, { readonly kind: 'response' }> {
  return outcome.kind === 'response' && statusesThatAskToWait.has(outcome.response.httpCode);
}

/** What the receiver asks for may lengthen a delay, never shorten it. */
function askedDelayMs(outcome: DeliveryOutcome): number {
  return asksToWait(outcome) ? Math.min(outcome.retryAfterMs ?? 0, retryAfterMsMax) : 0;
}
