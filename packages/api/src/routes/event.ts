import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { tooManyEventsToday } from '../http/too-many.ts';
import { ProblemError } from '../problems.ts';
import { eventPost, ingestedEvent } from '../schemas/events.ts';
import type { IngestResult } from '../services/ingest-events.ts';
import { readPayload } from './event-post.ts';

/** Ingest: at 201 the event and all its attempts are committed. */
export function eventRoutes(context: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'events.ingest',
      summary: 'Ingests an event: at 201 it and its attempts are committed',
      method: 'post',
      path: '/event',
      access: 'application',
      application: 'body',
      bodyBytesMax: context.settings.eventBodyBytesMax,
      checksApplicationItself: true,
      body: eventPost,
      answer: { status: 201, schema: ingestedEvent },
      problems: [
        'EventTypeDoesNotExist',
        'EventAlreadyIngested',
        'EventInvalidPayloadContentType',
        'EventInvalidBase64Payload',
        'EventInvalidJsonPayload',
        'TooManyEventsToday',
      ],
      async handle({ principal, body: post, ip }) {
        const payload = readPayload(post);
        const result = await context.batcher.ingest({
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
        });
        return replyOf(post.application_id, post.event_type, result);
      },
    }),
  ];
}

function replyOf(applicationId: string, eventType: string, result: IngestResult): Reply {
  switch (result.kind) {
    case 'ingested': {
      const body: z.output<typeof ingestedEvent> = {
        application_id: applicationId,
        event_id: result.eventId,
        received_at: result.receivedAt,
      };
      return { status: 201, body };
    }
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
      throw new ProblemError('EventTypeDoesNotExist', { detail: `The event type ${eventType} does not exist or is deactivated.` });
    case 'quota_exceeded':
      throw tooManyEventsToday(result.retryAfterMs);
    case 'application_missing':
      throw new ProblemError('Forbidden');
  }
}
