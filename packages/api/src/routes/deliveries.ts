import { holdOf } from '@postrider/shared/database/hold-row';
import { findEvent } from '@postrider/shared/database/queries/find-event';
import { findRetriesMax } from '@postrider/shared/database/queries/find-retries-max';
import { type DeliveryRow, listDeliveries } from '@postrider/shared/database/queries/list-deliveries';
import { loadEventStatuses } from '@postrider/shared/database/queries/load-event-statuses';
import { describeDelivery, type FinishedAttempt, type PlannedAttempt } from '@postrider/shared/domain/delivery-state';
import { idMin } from '@postrider/shared/domain/ids';
import { deliveriesPageMax, workerAliveWithinMs } from '@postrider/shared/domain/limits';
import { encodeCursor, nextLink, pageOf } from '../http/pagination.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { deliveriesParams, deliveriesQuery, eventDeliveriesView } from '../schemas/deliveries.ts';

/** What has become of an event. */
export function deliveryRoutes(): Route[] {
  return [
    defineRoute({
      name: 'events.deliveries',
      summary: 'Tells for each subscription where the delivery of an event stands, and why',
      method: 'get',
      path: '/events/:event_id/deliveries',
      access: 'application',
      application: 'query',
      params: deliveriesParams,
      query: deliveriesQuery,
      answer: { status: 200, schema: eventDeliveriesView },
      problems: ['NotFound'],
      async handle({ db, params, query, origin, pathWithQuery }) {
        const { application_id: applicationId, pagination_cursor: cursor } = query;
        const event = await findEvent(db, applicationId, params.event_id);
        if (!event) {
          throw new ProblemError('NotFound', { detail: 'The application has no event of this id.' });
        }
        const { event_id: eventId, event_type_name: eventTypeName, received_at: receivedAt, labels } = event;
        const statuses = await loadEventStatuses(db, applicationId, [event]);
        const retriesMax = await findRetriesMax(db, workerAliveWithinMs);
        const rows = await listDeliveries(db, {
          applicationId,
          event: { eventId, eventTypeName, receivedAt, labels },
          afterSubscriptionId: cursor?.[0] ?? idMin,
          limit: deliveriesPageMax + 1,
        });
        const { page, last } = pageOf(rows, deliveriesPageMax);
        const status = statuses.get(eventId) ?? 'no_match';
        return {
          status: 200,
          body: {
            event_id: eventId,
            event_type_name: eventTypeName,
            received_at: receivedAt,
            status,
            // Subscriptions are matched when an event is received.
            no_match_at: status === 'no_match' ? receivedAt : null,
            deliveries: page.map((row) => view(row, retriesMax)),
          },
          headers: last ? { Link: nextLink(origin, pathWithQuery, { pagination_cursor: encodeCursor([last.subscription_id]) }) } : {},
        };
      },
    }),
  ];
}

function view(row: DeliveryRow, retriesMax: number | null) {
  const planned = plannedOf(row);
  const last = finishedOf(row);
  const description = describeDelivery({
    planned,
    last,
    subscription: { isDeleted: row.deleted_at !== null, isDisabled: row.disabled_at !== null, disabledReason: row.disabled_reason },
    retriesMax,
  });
  const hasNext = planned !== null && (planned.isLeased || !planned.isCancelled);
  return {
    subscription: { subscription_id: row.subscription_id, description: row.description },
    state: description.state,
    reason: description.reason,
    explanation: description.explanation,
    attempts: row.attempts,
    next_attempt: hasNext
      ? { request_attempt_id: row.open_id, retry_count: planned.retryCount, retries_max: retriesMax, at: description.nextAttemptAt }
      : null,
    last_attempt: last && {
      request_attempt_id: row.last_id,
      retry_count: last.retryCount,
      status: last.succeeded ? 'successful' : 'failed',
      at: row.finished_at,
      http_response_status: row.http_code,
      error_name: row.error_name,
      response_id: row.was_sent ? row.last_id : null,
    },
  };
}

function plannedOf(row: DeliveryRow): PlannedAttempt | null {
  if (row.open_retry_count === null || row.due_at === null) {
    return null;
  }
  return {
    retryCount: row.open_retry_count,
    dueAt: row.due_at,
    isDue: row.is_due ?? false,
    isLeased: row.is_leased ?? false,
    hold: row.is_test ? null : holdOf(row),
    isCancelled: row.is_cancelled ?? false,
  };
}

function finishedOf(row: DeliveryRow): FinishedAttempt | null {
  if (row.last_retry_count === null || row.succeeded === null) {
    return null;
  }
  return { retryCount: row.last_retry_count, succeeded: row.succeeded, reason: row.reason };
}
