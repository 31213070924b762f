import { type EventTypeRow, listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { tooMany } from '../http/too-many.ts';
import { ProblemError } from '../problems.ts';
import { eventTypeParams, eventTypePost, eventTypeView } from '../schemas/event-types.ts';
import { createEventType, removeEventType } from '../services/write-event-type.ts';

/** Event types: dotted names that events and subscriptions share. */
export function eventTypeRoutes(context: ApiContext): Route[] {
  return [...readRoutes(), ...writeRoutes(context)];
}

function readRoutes(): Route[] {
  return [
    defineRoute({
      name: 'event_types.list',
      summary: 'Lists the active event types of an application',
      method: 'get',
      path: '/event_types',
      access: 'application',
      application: 'query',
      query: applicationQuery,
      answer: { status: 200, schema: z.array(eventTypeView) },
      async handle({ db, query }) {
        const { application_id: applicationId } = query;
        return { status: 200, body: (await listEventTypes(db, applicationId)).map(view) };
      },
    }),
    defineRoute({
      name: 'event_types.get',
      summary: 'Reads an active event type',
      method: 'get',
      path: '/event_types/:event_type_name',
      access: 'application',
      application: 'query',
      params: eventTypeParams,
      query: applicationQuery,
      answer: { status: 200, schema: eventTypeView },
      problems: ['NotFound'],
      async handle({ db, query, params }) {
        const { application_id: applicationId } = query;
        const [row] = await listEventTypes(db, applicationId, [params.event_type_name]);
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'There is no active event type of this name.' });
        }
        return { status: 200, body: view(row) };
      },
    }),
  ];
}

function writeRoutes({ quotas }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'event_types.create',
      summary: 'Creates an event type, or activates it again',
      method: 'post',
      path: '/event_types',
      access: 'application',
      application: 'body',
      body: eventTypePost,
      answer: { status: 201, schema: eventTypeView },
      problems: ['TooManyEventTypesPerApplication'],
      async handle({ db, audit, body: post }) {
        const { application_id: applicationId, service, resource_type: resourceType, verb } = post;
        const { event_types_per_application_limit: limit } = await quotas.ofApplication(db, applicationId);
        const row = await createEventType(db, audit, { applicationId, service, resourceType, verb }, limit);
        if (!row) {
          throw tooMany('TooManyEventTypesPerApplication', limit);
        }
        return { status: 201, body: view(row) };
      },
    }),
    defineRoute({
      name: 'event_types.deactivate',
      summary: 'Deactivates an event type',
      method: 'delete',
      path: '/event_types/:event_type_name',
      access: 'application',
      application: 'query',
      params: eventTypeParams,
      query: applicationQuery,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, query, params }) {
        const { application_id: applicationId } = query;
        if (!(await removeEventType(db, audit, applicationId, params.event_type_name))) {
          throw new ProblemError('NotFound', { detail: 'There is no active event type of this name.' });
        }
        return { status: 204 };
      },
    }),
  ];
}

function view(row: EventTypeRow): z.output<typeof eventTypeView> {
  return { service_name: row.service, resource_type_name: row.resource_type, verb_name: row.verb, event_type_name: row.event_type_name };
}
