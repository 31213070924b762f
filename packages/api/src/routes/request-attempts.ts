import { holdOf } from '@postrider/shared/database/hold-row';
import { findRequestAttempt } from '@postrider/shared/database/queries/find-request-attempt';
import type { RequestAttemptRow } from '@postrider/shared/database/queries/list-request-attempts';
import { z } from 'zod';
import { encodeCursor, nextLink } from '../http/pagination.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import {
  requestAttemptListQuery,
  requestAttemptParams,
  type requestAttemptStatusView,
  requestAttemptView,
} from '../schemas/request-attempts.ts';
import { listRequestAttemptsPage } from '../services/list-request-attempts-page.ts';

const pageSize = 50;

/** Request attempts, planned and made. */
export function requestAttemptRoutes(): Route[] {
  return [
    defineRoute({
      name: 'request_attempts.list',
      summary: 'Lists request attempts, planned and made, newest first',
      method: 'get',
      path: '/request_attempts',
      access: 'application',
      application: 'query',
      query: requestAttemptListQuery,
      answer: { status: 200, schema: z.array(requestAttemptView) },
      async handle({ db, query: filter, origin, pathWithQuery }) {
        const { attempts, next } = await listRequestAttemptsPage(db, {
          applicationId: filter.application_id,
          eventId: filter.event_id ?? null,
          subscriptionId: filter.subscription_id ?? null,
          eventTypeNames: filter['event.event_type_names'] ?? null,
          minCreatedAt: filter.min_created_at ?? null,
          maxCreatedAt: filter.max_created_at ?? null,
          statuses: filter.status?.length ? filter.status : null,
          after: filter.pagination_cursor?.[0] ?? null,
          size: pageSize,
        });
        const headers = next === null ? {} : { Link: nextLink(origin, pathWithQuery, { pagination_cursor: encodeCursor([next]) }) };
        return { status: 200, body: attempts.map(view), headers };
      },
    }),
    defineRoute({
      name: 'request_attempts.get',
      summary: 'Reads a request attempt',
      method: 'get',
      path: '/request_attempts/:request_attempt_id',
      access: 'application',
      application: 'query',
      params: requestAttemptParams,
      query: applicationQuery,
      answer: { status: 200, schema: requestAttemptView },
      problems: ['NotFound'],
      async handle({ db, query, params }) {
        const { application_id: applicationId } = query;
        const { request_attempt_id: requestAttemptId } = params;
        const row = await findRequestAttempt(db, { applicationId, requestAttemptId });
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'The application has no request attempt of this id.' });
        }
        return { status: 200, body: view(row) };
      },
    }),
  ];
}

function view(row: RequestAttemptRow): z.output<typeof requestAttemptView> {
  const hold = holdOf(row);
  return {
    request_attempt_id: row.request_attempt_id,
    event_id: row.event_id,
    event: { event_id: row.event_id, event_type_name: row.event_type_name },
    subscription: { subscription_id: row.subscription_id, description: row.subscription_description },
    created_at: row.created_at,
    picked_at: row.picked_at,
    failed_at: row.failed_at,
    succeeded_at: row.succeeded_at,
    delay_until: row.delay_until,
    response_id: row.response_id,
    retry_count: row.retry_count,
    http_response_status: row.http_response_status,
    status: statusOf(row),
    reason: row.reason,
    why: hold?.why ?? null,
    hold_until: hold?.holdUntil ?? null,
  };
}

function statusOf(row: RequestAttemptRow): z.output<typeof requestAttemptStatusView> {
  switch (row.status) {
    case 'waiting':
      return { type: 'waiting', since: row.created_at, until: laterOf(row.delay_until ?? row.created_at, row.hold_until) };
    case 'pending':
      return { type: 'pending', since: row.delay_until ?? row.created_at };
    case 'in_progress':
      return { type: 'in_progress', since: row.picked_at ?? row.created_at };
    case 'successful':
    case 'failed': {
      const at = row.succeeded_at ?? row.failed_at ?? row.created_at;
      const dueAt = Math.max(row.created_at.getTime(), row.delay_until?.getTime() ?? 0);
      // Cancelled before it was due: nothing was processed.
      return { type: row.status, at, full_processing_ms: Math.max(0, at.getTime() - dueAt) };
    }
  }
}

function laterOf(at: Date, other: Date | null): Date {
  return other !== null && other > at ? other : at;
}
