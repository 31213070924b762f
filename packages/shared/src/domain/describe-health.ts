import type { ParkReason } from './subscription-health.ts';

/** What keeps the attempts of a subscription back. */
export type HeldBy = 'paused' | ParkReason;

export interface HoldFacts {
  /** Null when nothing does. */
  readonly heldBy: HeldBy | null;
  /** Until when nothing is sent; null when no hold is under way. */
  readonly holdUntil: Date | null;
  /** Of the receiver, in a row. */
  readonly failures: number;
}

export interface HoldDescription {
  readonly status: /** Somebody paused it. */
    | 'paused'
    /** Nothing is sent for a time. */
    | 'held'
    /** The hold is over: one request is tried, and then more and more. */
    | 'recovering'
    /** Attempts go out, but no faster than the receiver or its rate allows. */
    | 'limited';
  readonly holdUntil: Date | null;
  readonly why: string;
}

export interface SubscriptionFacts extends HoldFacts {
  readonly isDisabled: boolean;
  readonly disabledReason: string | null;
}

export interface SubscriptionDescription {
  readonly status: 'disabled' | HoldDescription['status'] | 'active';
  readonly holdUntil: Date | null;
  /** In a sentence; null when there is nothing to explain. */
  readonly why: string | null;
}

/** How a subscription is delivered to at present, and why. */
export function describeSubscription({ isDisabled, disabledReason, ...facts }: SubscriptionFacts): SubscriptionDescription {
  if (isDisabled) {
    return { status: 'disabled', holdUntil: null, why: disablingOf(disabledReason) };
  }
  return describeHold(facts) ?? { status: 'active', holdUntil: null, why: null };
}

/** What keeps the open attempts of a subscription back; null when nothing does. */
export function describeHold({ heldBy, holdUntil, failures }: HoldFacts): HoldDescription | null {
  if (heldBy === null) {
    return null;
  }
  if (heldBy === 'paused') {
    return { status: 'paused', holdUntil: null, why: 'The subscription is paused; its attempts are kept until it is resumed.' };
  }
  if (holdUntil !== null) {
    return { status: 'held', holdUntil, why: whileHeld(heldBy, { failures, until: holdUntil.toISOString() }) };
  }
  switch (heldBy) {
    case 'rate':
      return { status: 'limited', holdUntil: null, why: 'The subscription has a rate limit, and its attempts go out at that rate.' };
    case 'over_cap':
      return {
        status: 'limited',
        holdUntil: null,
        why: 'More attempts are due than the receiver gets at once; they go out as earlier ones are answered.',
      };
    case 'slow':
      return { status: 'limited', holdUntil: null, why: 'The receiver answers far slower than others and gets few requests at once.' };
    case 'throttled':
    case 'retry_after':
    case 'failing':
      return { status: 'recovering', holdUntil: null, why: `${causes(failures)[heldBy]}; ${probing}.` };
  }
}

const probing = 'it gets one request at a time, and more with every success';

function whileHeld(heldBy: ParkReason, { failures, until }: { readonly failures: number; readonly until: string }): string {
  switch (heldBy) {
    case 'retry_after':
      return `${causes(failures)[heldBy]}, until ${until}.`;
    case 'throttled':
    case 'failing':
      return `${causes(failures)[heldBy]}; the next probe is at ${until}.`;
    case 'rate':
    case 'over_cap':
    case 'slow':
      return `The receiver is on hold; the next probe is at ${until}.`;
  }
}

function causes(failures: number) {
  return {
    retry_after: 'The receiver answered 429 or 503 and asked for a pause',
    throttled: 'The receiver answered 429 or 503 again and again',
    // A success of a request that was under way when the hold began counts, and leaves the hold as it is.
    failing: failures > 1 ? `The receiver failed ${failures} times in a row` : 'The receiver failed',
  } as const;
}

function disablingOf(reason: string | null): string {
  switch (reason) {
    case 'gone':
      return 'The receiver answered 410 Gone, which ends all deliveries to its subscription.';
    case 'failing':
      return 'The receiver did nothing but fail for days; enable the subscription once it is back.';
    case 'by_request':
      return 'The subscription was disabled by request.';
    default:
      return 'The subscription was disabled.';
  }
}
