import { type EventWithPayloadRow, findEvent } from '@postrider/shared/database/queries/find-event';
import { type EventRow, listEvents } from '@postrider/shared/database/queries/list-events';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { encodeCursor, nextLink, pageOf } from '../http/pagination.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { eventListQuery, eventParams, eventView, eventWithPayloadView, replayPost } from '../schemas/events.ts';
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
      answer: { status: 200, schema: z.array(eventView) },
      async handle({ db, query: filter, origin, pathWithQuery }) {
        const [receivedAt, eventId] = filter.pagination_cursor ?? [null, null];
        const rows = await listEvents(db, {
          applicationId: filter.application_id,
          eventType: filter.event_type ?? null,
          since: filter.since ?? null,
          until: filter.until ?? null,
          labels: readLabels(filter.label),
          after: receivedAt && eventId ? { receivedAt, eventId } : null,
          offset: receivedAt ? 0 : (filter.page - 1) * filter.per_page,
          limit: filter.per_page + 1,
        });
        const { page, last } = pageOf(rows, filter.per_page);
        const headers = last
          ? { Link: nextLink(origin, pathWithQuery, { pagination_cursor: encodeCursor([last.received_at.toISOString(), last.event_id]) }) }
          : {};
        return { status: 200, body: page.map(view), headers };
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

function readLabels(labels: string | readonly string[] | undefined): Record<string, string> {
  const list = typeof labels === 'string' ? [labels] : (labels ?? []);
  return Object.fromEntries(list.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
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
