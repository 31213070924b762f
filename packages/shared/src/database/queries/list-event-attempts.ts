import type { Database } from '../pool.ts';
import type { RequestAttemptFilter, RequestAttemptRow } from './list-request-attempts.ts';

/** Request attempts of one event, open and finished, newest first. */
export async function listEventAttempts(
  db: Database,
  eventId: string,
  filter: Omit<RequestAttemptFilter, 'idFrom' | 'window'>,
): Promise<RequestAttemptRow[]> {
  const { rows } = await db.query<RequestAttemptRow>({
    name: 'list_event_attempts',
    text: sql,
    values: [
      filter.applicationId,
      eventId,
      filter.subscriptionId,
      filter.eventTypeNames,
      filter.minCreatedAt,
      filter.maxCreatedAt,
      filter.statuses,
      filter.idBelow,
      filter.limit,
    ],
  });
  return rows;
}

// Served by open_attempt_by_event and finished_attempt_by_event. Materialized, so that the order of ids tempts no plan to walk through the
// whole history: an event has no more attempts than its subscriptions made.
const sql = `
with attempt as materialized (
  select application_id, request_attempt_id, event_id, event_type_name, subscription_id, subscription_description, retry_count, created_at,
         delay_until, picked_at, succeeded_at, failed_at, reason, status, http_response_status, response_id, held_by, hold_until, receiver_failures
  from webhook.request_attempt
  where event_id = $2
)
select request_attempt_id, event_id, event_type_name, subscription_id, subscription_description, retry_count, created_at, delay_until,
       picked_at, succeeded_at, failed_at, reason, status, http_response_status, response_id, held_by, hold_until, receiver_failures
from attempt
where application_id = $1
  and ($3::uuid is null or subscription_id = $3)
  and ($4::text[] is null or event_type_name = any ($4))
  and ($5::timestamptz is null or created_at >= $5)
  and ($6::timestamptz is null or created_at <= $6)
  and ($7::text[] is null or status = any ($7))
  and request_attempt_id < $8::uuid
order by request_attempt_id desc
limit $9
`;
