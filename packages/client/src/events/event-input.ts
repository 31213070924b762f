import type { Input, Simplify } from '../types.ts';
import { newEventId } from './event-id.ts';

type EventPost = Input<'events.ingest'>;

/** An event to send. What is left out is filled in: a new `event_id`, the time of now, no labels. */
export type EventInput = Simplify<
  Omit<EventPost, 'occurred_at' | 'labels'> & {
    readonly occurred_at?: string | Date;
    readonly labels?: Readonly<Record<string, string>>;
  }
>;

/** An event as the API takes it, with the id that makes sending it again harmless. */
export type CompleteEvent = Simplify<Omit<EventPost, 'event_id'> & { readonly event_id: string }>;

/** An event that the API has. */
export interface IngestedEvent {
  readonly application_id: string;
  readonly event_id: string;
  /** Null when the answer to an earlier try was lost: the event is there, but the later answer does not say since when. */
  readonly received_at: string | null;
}

/** Fixes the id and the time once: all tries send the same. */
export function completeEvent(event: EventInput): CompleteEvent {
  const occurredAt = event.occurred_at ?? new Date();
  return {
    ...event,
    event_id: event.event_id ?? newEventId(),
    occurred_at: typeof occurredAt === 'string' ? occurredAt : occurredAt.toISOString(),
    labels: { ...event.labels },
  };
}
