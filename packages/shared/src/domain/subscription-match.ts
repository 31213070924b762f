/** What decides which events a subscription gets. */
export interface MatchingRules {
  readonly isEnabled: boolean;
  readonly isPaused: boolean;
  readonly eventTypes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface EventToMatch {
  readonly eventTypeName: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Why a subscription would not get an event, or, `paused`, not now. */
export type MatchReason =
  | { readonly code: 'disabled' | 'paused' | 'event_type_not_listed' }
  | { readonly code: 'label_missing'; readonly label: string; readonly wanted: string }
  | { readonly code: 'label_differs'; readonly label: string; readonly wanted: string; readonly got: string };

/** Everything that stands between an event and a subscription; the fan-out of ingest decides by the same rules. */
export function explainMatch(subscription: MatchingRules, event: EventToMatch): MatchReason[] {
  const reasons: MatchReason[] = [];
  if (!subscription.isEnabled) {
    reasons.push({ code: 'disabled' });
  }
  if (subscription.isPaused) {
    reasons.push({ code: 'paused' });
  }
  if (!subscription.eventTypes.includes(event.eventTypeName)) {
    reasons.push({ code: 'event_type_not_listed' });
  }
  for (const [label, wanted] of Object.entries(subscription.labels)) {
    const got = Object.hasOwn(event.labels, label) ? event.labels[label] : undefined;
    if (got === undefined) {
      reasons.push({ code: 'label_missing', label, wanted });
    } else if (got !== wanted) {
      reasons.push({ code: 'label_differs', label, wanted, got });
    }
  }
  return reasons;
}

/** Whether the event would be delivered: now, once the subscription is resumed, or not at all. */
export function deliveryFor(reasons: readonly MatchReason[]): 'now' | 'when_resumed' | 'never' {
  if (reasons.some(({ code }) => code !== 'paused')) {
    return 'never';
  }
  return reasons.length === 0 ? 'now' : 'when_resumed';
}
