import { type EventWithPayloadRow, findEvent } from '@postrider/shared/database/queries/find-event';
import type { EventRow } from '@postrider/shared/database/queries/list-events';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { encodeCursor, nextLink } from '../http/pagination.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { eventListQuery } from '../schemas/event-list.ts';
import { eventParams, eventView, eventWithPayloadView, listedEventView, replayPost } from '../schemas/events.ts';
import { listEventsPage } from '../services/list-events-page.ts';
import { replayEvent } from '../services/replay-event.ts';

/** Events that were ingested. */
export function eventsRoutes(context: ApiContext): Route[] {
  return [...readRoutes(), ...writeRoutes(context)];
}

function readRoutes(): Route[] {
  return [
    defineRoute({
      name: 'events.list',
      summary: 'Lists events, newest first',
      method: 'get',
      path: '/events',
      access: 'application',
      application: 'query',
      query: eventListQuery,
      answer: { status: 200, schema: z.array(listedEventView) },
      async handle({ db, query: filter, origin, pathWithQuery }) {
        const [receivedAt, eventId] = filter.pagination_cursor ?? [null, null];
        const { events, next } = await listEventsPage(db, {
          applicationId: filter.application_id,
          eventTypeNames: orAll(filter.event_type),
          statuses: orAll(filter.status),
          since: filter.since ?? null,
          until: filter.until ?? null,
          labels: readLabels(filter.label ?? []),
          after: receivedAt && eventId ? { receivedAt, eventId } : null,
          skip: receivedAt ? 0 : (filter.page - 1) * filter.per_page,
          size: filter.per_page,
        });
        const headers = next
          ? { Link: nextLink(origin, pathWithQuery, { pagination_cursor: encodeCursor([next.receivedAt.toISOString(), next.eventId]) }) }
          : {};
        return { status: 200, body: events.map((row) => ({ ...view(row), status: row.status })), headers };
      },
    }),
    defineRoute({
      name: 'events.get',
      summary: 'Reads an event with its payload',
      method: 'get',
      path: '/events/:event_id',
      access: 'application',
      application: 'query',
      params: eventParams,
      query: applicationQuery,
      answer: { status: 200, schema: eventWithPayloadView },
      problems: ['NotFound'],
      async handle({ db, query, params }) {
        const { application_id: applicationId } = query;
        const { event_id: eventId } = params;
        const row = await findEvent(db, applicationId, eventId);
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'The application has no event of this id.' });
        }
        return { status: 200, body: viewWithPayload(row) };
      },
    }),
  ];
}

function writeRoutes({ notifier }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'events.replay',
      summary: 'Delivers an event again to the subscriptions that match it now',
      method: 'post',
      path: '/events/:event_id/replay',
      access: 'application',
      application: 'body',
      params: eventParams,
      body: replayPost,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, params, body }) {
        const { event_id: eventId } = params;
        const { application_id: applicationId, subscription_id: subscriptionId } = body;
        const replayed = await replayEvent(db, notifier, audit, { applicationId, eventId, subscriptionId });
        if (replayed.kind === 'not_found') {
          throw new ProblemError('NotFound', { detail: 'The application has no event of this id.' });
        }
        return { status: 204 };
      },
    }),
  ];
}

function readLabels(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}

/** A list that is empty or left out filters nothing. */
function orAll<T>(values: readonly T[] | undefined): readonly T[] | null {
  return values === undefined || values.length === 0 ? null : values;
}

function view(row: EventRow): z.output<typeof eventView> {
  return {
    event_id: row.event_id,
    event_type_name: row.event_type_name,
    payload_content_type: row.payload_content_type,
    ip: row.ip,
    metadata: row.metadata,
    occurred_at: row.occurred_at,
    received_at: row.received_at,
    labels: row.labels,
  };
}

function viewWithPayload(row: EventWithPayloadRow): z.output<typeof eventWithPayloadView> {
  return { ...view(row), payload: row.payload.toString('base64') };
}
