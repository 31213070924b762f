import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { eventPost, ingestedEvent } from '../schemas/events.ts';
import { readPlainEventPost } from '../schemas/plain-event-post.ts';
import { ingestedOf, newEventOf } from './ingest-post.ts';

/** Ingest: at 201 the event and all its attempts are committed. */
export function eventRoutes(context: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'events.ingest',
      summary: 'Ingests an event: at 201 it and its attempts are committed',
      method: 'post',
      path: '/event',
      isHot: true,
      access: 'application',
      application: 'body',
      bodyBytesMax: context.settings.eventBodyBytesMax,
      checksApplicationItself: true,
      body: eventPost,
      readPlainBody: readPlainEventPost,
      answer: { status: 201, schema: ingestedEvent },
      problems: [
        'EventTypeDoesNotExist',
        'EventAlreadyIngested',
        'EventInvalidPayloadContentType',
        'EventInvalidBase64Payload',
        'EventInvalidJsonPayload',
        'TooManyEventsToday',
      ],
      async handle(request) {
        const event = newEventOf(request.body, request, context.settings);
        return { status: 201, body: ingestedOf(event, await context.batcher.ingest(event)) };
      },
    }),
  ];
}
