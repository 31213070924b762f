import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import type { RequestContext } from '../http/route.ts';
import { tooManyEventsToday } from '../http/too-many.ts';
import { ProblemError } from '../problems.ts';
import type { EventPost, ingestedEvent } from '../schemas/events.ts';
import type { IngestResult, NewEvent } from '../services/ingest-events.ts';
import { readPayload } from './event-post.ts';

export type IngestedEvent = z.output<typeof ingestedEvent>;

type Sender = Pick<RequestContext, 'principal' | 'ip'>;

/** What an application posted, as it is ingested. Fails with the problem of its payload. */
export function newEventOf(post: EventPost, { principal, ip }: Sender, settings: ApiContext['settings']): NewEvent {
  const payload = readPayload(post);
  requireSize(payload.bytes, settings.eventBodyBytesMax);
  return {
    applicationId: post.application_id,
    eventId: post.event_id,
    eventTypeName: post.event_type,
    payload: payload.bytes,
    payloadContentType: payload.contentType,
    occurredAt: post.occurred_at,
    labels: post.labels,
    metadata: post.metadata ?? {},
    ip,
    applicationSecretId: principal.kind === 'application' ? principal.applicationSecretId : null,
  };
}

/** A payload may be larger than the body it came in, as the numbers of JSON are, or come in a body with many others. */
function requireSize(payload: Buffer, bytesMax: number): void {
  if (payload.length > bytesMax) {
    throw new ProblemError('JsonPayload', { status: 413, detail: `payload: is larger than ${bytesMax} bytes` });
  }
}

/** What the client hears of an event. Fails with the problem of one that was not ingested. */
export function ingestedOf(event: Pick<NewEvent, 'applicationId' | 'eventTypeName'>, result: IngestResult): IngestedEvent {
  switch (result.kind) {
    case 'ingested':
      return { application_id: event.applicationId, event_id: result.eventId, received_at: result.receivedAt };
    case 'duplicate':
      throw new ProblemError(
        'EventAlreadyIngested',
        result.sameContent
          ? { code: 'same_content' }
          : {
              code: 'different_content',
              detail: `An event with the event_id ${result.eventId} was ingested before, with different content.`,
            },
      );
    case 'event_type_missing':
      throw new ProblemError('EventTypeDoesNotExist', {
        detail: `The event type ${event.eventTypeName} does not exist or is deactivated.`,
      });
    case 'quota_exceeded':
      throw tooManyEventsToday(result.retryAfterMs);
    case 'application_missing':
      throw new ProblemError('Forbidden');
  }
}
