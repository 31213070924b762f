import type { HoldDescription } from './describe-health.ts';

/** Where one event's delivery to one subscription stands. */
export type DeliveryState =
  | 'not_planned'
  | 'waiting'
  | 'pending'
  | 'in_progress'
  | 'paused'
  /** Nothing is sent to its receiver for a time. */
  | 'held'
  /** Due, and sent no faster than its receiver or its rate allows. */
  | 'limited'
  | 'successful'
  | 'failed'
  /** Ended before its retries did, because somebody or something stopped it. */
  | 'cancelled';

/** Why a delivery ended without success. */
export type DeliveryEndReason =
  | 'retries_exhausted'
  | 'gone'
  | 'invalid_header'
  | 'claims_exhausted'
  | 'subscription_disabled'
  | 'subscription_deleted'
  | 'cancelled'
  | 'other';

/** The attempt that is planned or being made. */
export interface PlannedAttempt {
  readonly retryCount: number;
  readonly dueAt: Date;
  readonly isDue: boolean;
  readonly isLeased: boolean;
  /** What keeps the attempts of its subscription back; null when nothing does. */
  readonly hold: HoldDescription | null;
  /** Waits for nothing any more: its row has not followed its subscription yet. */
  readonly isCancelled: boolean;
}

/** The attempt that was finished last. */
export interface FinishedAttempt {
  readonly retryCount: number;
  readonly succeeded: boolean;
  /** As the log has it: null after a success, and after a failure that was retried. */
  readonly reason: string | null;
}

export interface DeliveryFacts {
  readonly planned: PlannedAttempt | null;
  readonly last: FinishedAttempt | null;
  readonly subscription: { readonly isDeleted: boolean; readonly isDisabled: boolean; readonly disabledReason: string | null };
  /** Null when no worker says how many retries it makes. */
  readonly retriesMax: number | null;
}

export interface DeliveryDescription {
  readonly state: DeliveryState;
  readonly reason: DeliveryEndReason | null;
  /** Why it is where it is, in words. */
  readonly explanation: string;
  readonly nextAttemptAt: Date | null;
}

/** Says where a delivery stands and why. What is planned counts before what has been. */
export function describeDelivery({ planned, last, subscription, retriesMax }: DeliveryFacts): DeliveryDescription {
  if (planned && (planned.isLeased || !planned.isCancelled)) {
    return describePlanned(planned, retriesMax);
  }
  if (planned) {
    return ended('cancelled', cancellationOf(subscription));
  }
  if (!last) {
    const explanation = 'The subscription matches now but did not when the event came; a replay delivers it.';
    return { state: 'not_planned', reason: null, explanation, nextAttemptAt: null };
  }
  if (last.succeeded) {
    const explanation = last.retryCount === 0 ? 'Delivered at the first attempt.' : `Delivered by retry ${last.retryCount}.`;
    return { state: 'successful', reason: null, explanation, nextAttemptAt: null };
  }
  return describeFailure(last, subscription);
}

function describePlanned(planned: PlannedAttempt, retriesMax: number | null): DeliveryDescription {
  const what =
    planned.retryCount === 0
      ? 'the first attempt'
      : `retry ${planned.retryCount}${retriesMax === null ? '' : ` of ${Math.max(retriesMax, planned.retryCount)}`}`;
  const facts = { reason: null, nextAttemptAt: planned.dueAt };
  if (planned.isLeased) {
    return { ...facts, state: 'in_progress', explanation: `A worker is making ${what}.` };
  }
  return (
    describeHeld(planned, what) ??
    (planned.isDue
      ? { ...facts, state: 'pending', explanation: `Due: ${what} waits for a free worker.` }
      : { ...facts, state: 'waiting', explanation: `Waiting for ${what}.` })
  );
}

/** Null when the attempt would not be made earlier without the hold. */
function describeHeld({ hold, dueAt, isDue }: PlannedAttempt, what: string): DeliveryDescription | null {
  switch (hold?.status) {
    case undefined:
      return null;
    case 'paused':
      return { state: 'paused', reason: null, explanation: `${hold.why} Next is ${what}.`, nextAttemptAt: null };
    case 'held':
      return hold.holdUntil !== null && hold.holdUntil > dueAt
        ? { state: 'held', reason: null, explanation: `${hold.why} Next is ${what}.`, nextAttemptAt: hold.holdUntil }
        : null;
    case 'recovering':
    case 'limited':
      return isDue ? { state: 'limited', reason: null, explanation: `${hold.why} Next is ${what}.`, nextAttemptAt: dueAt } : null;
  }
}

function describeFailure(last: FinishedAttempt, subscription: DeliveryFacts['subscription']): DeliveryDescription {
  switch (last.reason) {
    case 'cancelled':
      return ended('cancelled', cancellationOf(subscription));
    case 'retries_exhausted':
    case 'gone':
    case 'invalid_header':
    case 'claims_exhausted':
      return ended('failed', last.reason);
    default:
      return ended('failed', 'other');
  }
}

function cancellationOf({ isDeleted, isDisabled, disabledReason }: DeliveryFacts['subscription']): DeliveryEndReason {
  if (isDeleted) {
    return 'subscription_deleted';
  }
  if (!isDisabled) {
    return 'cancelled';
  }
  return disabledReason === 'gone' ? 'gone' : 'subscription_disabled';
}

const explanations: Readonly<Record<DeliveryEndReason, string>> = {
  retries_exhausted: 'Every retry failed.',
  gone: 'The receiver answered 410 Gone, which ends all deliveries to its subscription.',
  invalid_header: 'The event type or a header has characters that HTTP cannot carry.',
  claims_exhausted: 'Its workers died over it again and again.',
  subscription_disabled: 'The subscription was disabled.',
  subscription_deleted: 'The subscription was deleted.',
  cancelled: 'Cancelled: the subscription was disabled meanwhile.',
  other: 'The last attempt failed and is not tried again.',
};

function ended(state: 'failed' | 'cancelled', reason: DeliveryEndReason): DeliveryDescription {
  return { state, reason, explanation: explanations[reason], nextAttemptAt: null };
}
