import { deactivateEventType } from '@postrider/shared/database/queries/deactivate-event-type';
import { type EventTypeRow, listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { upsertEventType } from '@postrider/shared/database/queries/upsert-event-type';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { authorizeApplication } from '../http/authenticate.ts';
import { parseBody, parseParameters } from '../http/parse.ts';
import type { Route } from '../http/route.ts';
import { authorizeBody } from '../http/authorize-body.ts';
import { applicationQuery, text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';

const eventTypePost = z.object({ application_id: uuid, service: text(1, 50), resource_type: text(1, 50), verb: text(1, 50) });

/** Event types: dotted names that events and subscriptions share. */
export function eventTypeRoutes({ db }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/event_types',
      access: 'application',
      async handle({ principal, query }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        await authorizeApplication(db, principal, applicationId);
        return { status: 200, body: (await listEventTypes(db, applicationId)).map(view) };
      },
    },
    {
      method: 'post',
      path: '/event_types',
      access: 'application',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ principal, body }) {
        await authorizeBody(db, principal, body);
        const post = parseBody(eventTypePost, body);
        const row = await upsertEventType(db, {
          applicationId: post.application_id,
          service: post.service,
          resourceType: post.resource_type,
          verb: post.verb,
        });
        return { status: 201, body: view(row) };
      },
    },
    {
      method: 'get',
      path: '/event_types/:event_type_name',
      access: 'application',
      async handle({ principal, query, params }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        await authorizeApplication(db, principal, applicationId);
        const [row] = await listEventTypes(db, applicationId, [params['event_type_name'] ?? '']);
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'There is no active event type of this name.' });
        }
        return { status: 200, body: view(row) };
      },
    },
    {
      method: 'delete',
      path: '/event_types/:event_type_name',
      access: 'application',
      async handle({ principal, query, params }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        await authorizeApplication(db, principal, applicationId);
        if (!(await deactivateEventType(db, applicationId, params['event_type_name'] ?? ''))) {
          throw new ProblemError('NotFound', { detail: 'There is no active event type of this name.' });
        }
        return { status: 204 };
      },
    },
  ];
}

function view(row: EventTypeRow) {
  return { service_name: row.service, resource_type_name: row.resource_type, verb_name: row.verb, event_type_name: row.event_type_name };
}
