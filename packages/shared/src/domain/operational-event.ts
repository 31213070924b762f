import { createHash } from 'node:crypto';
import type { DeliveryErrorName } from './outcome.ts';
import type { ParkReason } from './subscription-health.ts';

/** Something that befell a subscription and that its operators may want to hear of. */
export type OperationalOccurrence =
  | {
      readonly kind: 'subscription_disabled';
      readonly subscriptionId: string;
      /** Its receiver answered 410, or there was nothing but failure for too long. */
      readonly reason: 'gone' | 'failing';
      /** Since when there was nothing but failure; null when that is not known. */
      readonly failingSince: Date | null;
    }
  | {
      readonly kind: 'subscription_held';
      readonly subscriptionId: string;
      readonly reason: ParkReason;
      /** Nothing is sent before; null when it is only slowed down. */
      readonly holdUntil: Date | null;
    }
  | { readonly kind: 'subscription_recovered'; readonly subscriptionId: string }
  | {
      readonly kind: 'delivery_exhausted';
      readonly subscriptionId: string;
      readonly eventId: string;
      readonly eventTypeName: string;
      /** The last attempt. */
      readonly requestAttemptId: string;
      readonly retryCount: number;
      readonly errorName: string | null;
      readonly httpCode: number | null;
    };

/** The subscription that an occurrence is about, and when. */
export interface OccurrenceContext {
  readonly applicationId: string;
  readonly description: string | null;
  readonly targetUrl: string;
  /** By the database's clock. */
  readonly at: Date;
}

/** An occurrence as an event of the operator's application. */
export interface OperationalEvent {
  /** The same for what is told once only; null where each is an event of its own. */
  readonly eventId: string | null;
  readonly eventTypeName: string;
  readonly payload: OperationalPayload;
  readonly labels: Readonly<Record<string, string>>;
}

/** What every operational event says; docs/operational-events.md has the table. */
interface OperationalPayload {
  readonly application_id: string;
  readonly subscription_id: string;
  readonly description: string | null;
  readonly target_host: string | null;
  readonly at: string;
  readonly why: string;
  readonly [member: string]: string | number | null;
}

/** The types of operational events in their three parts, as an application has them. */
export const operationalEventTypes = [
  { service: 'postrider', resourceType: 'subscription', verb: 'disabled' },
  { service: 'postrider', resourceType: 'subscription', verb: 'held' },
  { service: 'postrider', resourceType: 'subscription', verb: 'recovered' },
  { service: 'postrider', resourceType: 'delivery', verb: 'exhausted' },
] as const;

/** Turns an occurrence into an event. Headers, path and query of the target stay out of it: they may hold secrets. */
export function describeOccurrence(occurrence: OperationalOccurrence, context: OccurrenceContext): OperationalEvent {
  const { eventTypeName, eventId, members, why } = detailsOf(occurrence, context.at);
  return {
    eventId,
    eventTypeName,
    labels: { application_id: context.applicationId },
    payload: {
      application_id: context.applicationId,
      subscription_id: occurrence.subscriptionId,
      description: context.description,
      target_host: hostOf(context.targetUrl),
      ...members,
      at: context.at.toISOString(),
      why,
    },
  };
}

interface Details {
  readonly eventTypeName: string;
  readonly eventId: string | null;
  readonly members: Readonly<Record<string, string | number | null>>;
  readonly why: string;
}

function detailsOf(occurrence: OperationalOccurrence, at: Date): Details {
  const { subscriptionId } = occurrence;
  switch (occurrence.kind) {
    case 'subscription_disabled': {
      const failingSince = occurrence.failingSince?.toISOString() ?? null;
      return {
        eventTypeName: 'postrider.subscription.disabled',
        eventId: null,
        members: { reason: occurrence.reason, failing_since: failingSince },
        why: whyDisabled(occurrence.reason, failingSince),
      };
    }
    case 'subscription_held': {
      const eventTypeName = 'postrider.subscription.held';
      const holdUntil = occurrence.holdUntil?.toISOString() ?? null;
      return {
        eventTypeName,
        eventId: onceId(eventTypeName, subscriptionId, minuteOf(at)),
        members: { reason: occurrence.reason, hold_until: holdUntil },
        why: whyHeld[occurrence.reason] + (holdUntil === null ? '' : ` Nothing is sent before ${holdUntil}.`),
      };
    }
    case 'subscription_recovered': {
      const eventTypeName = 'postrider.subscription.recovered';
      return {
        eventTypeName,
        eventId: onceId(eventTypeName, subscriptionId, minuteOf(at)),
        members: {},
        why: 'The receiver takes events again; what waits is sent as usual.',
      };
    }
    case 'delivery_exhausted': {
      const eventTypeName = 'postrider.delivery.exhausted';
      const { eventId, requestAttemptId, retryCount, errorName, httpCode } = occurrence;
      return {
        eventTypeName,
        eventId: onceId(eventTypeName, requestAttemptId),
        members: {
          event_id: eventId,
          event_type_name: occurrence.eventTypeName,
          request_attempt_id: requestAttemptId,
          retry_count: retryCount,
          error_name: errorName,
          http_code: httpCode,
        },
        why: `Given up after ${retryCount === 1 ? '1 retry' : `${retryCount} retries`}: ${whyFailed(errorName, httpCode)}`,
      };
    }
  }
}

function whyDisabled(reason: 'gone' | 'failing', failingSince: string | null): string {
  const first =
    reason === 'gone'
      ? 'The receiver answered 410: it is gone for good.'
      : `Nothing but failure since ${failingSince ?? 'longer than is allowed'}.`;
  return `${first} The subscription is disabled, and what waited for it is cancelled.`;
}

const whyHeld: Readonly<Record<ParkReason, string>> = {
  rate: 'The subscription has a rate of its own.',
  over_cap: 'More of its attempts are due than it may have in flight.',
  slow: 'The receiver answers far slower than others.',
  throttled: 'The receiver answered 429 or 503 again and again.',
  retry_after: 'The receiver answered 429 or 503 and said when to come back.',
  failing: 'The receiver failed again and again with no success in between.',
};

const whyErrors: Readonly<Record<DeliveryErrorName, string>> = {
  E_INVALID_TARGET: 'the target cannot be used, or may not be reached.',
  E_INVALID_HEADER: 'a header has characters that HTTP cannot carry.',
  E_DNS: 'the host name has no address.',
  E_CONNECTION: 'no connection, or one that broke.',
  E_TIMEOUT: 'no answer in time.',
  E_HTTP: 'an answer that does not count as delivered.',
  E_UNKNOWN: 'it failed.',
};

function whyFailed(errorName: string | null, httpCode: number | null): string {
  if (errorName === 'E_HTTP' && httpCode !== null) {
    return `the last one was answered with ${httpCode}.`;
  }
  const known = Object.entries(whyErrors).find(([name]) => name === errorName);
  return known?.[1] ?? whyErrors.E_UNKNOWN;
}

/** Host and port; null for a URL that cannot be read. */
function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null;
}

function minuteOf(at: Date): string {
  return at.toISOString().slice(0, 16);
}

/**
 * The same id for the same parts, a UUIDv8 (RFC 9562, section 5.8). Since an event id is taken only once, all workers together tell what it
 * stands for once, without a word between them.
 */
function onceId(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join('\0')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
