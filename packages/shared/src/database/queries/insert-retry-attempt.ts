import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';
import type { Delivery } from './hasten-open-attempt.ts';

export interface RetryRow extends QueryResultRow {
  readonly request_attempt_id: string;
  readonly pool_id: number;
}

/**
 * A further attempt of a delivery that has none open, due now, counted on from its last one. Undefined when one is open, or the subscription
 * or the event is gone.
 */
export async function insertRetryAttempt(db: Database, delivery: Delivery): Promise<RetryRow | undefined> {
  const { rows } = await db.query<RetryRow>({
    name: 'insert_retry_attempt',
    text: sql,
    values: [delivery.applicationId, delivery.eventId, delivery.subscriptionId],
  });
  return rows[0];
}

// Served by event_by_application, finished_attempt_by_event and open_attempt_by_event.
const sql = `
with retried as materialized (
  select e.event_id, e.received_at, e.event_type_name, octet_length(e.payload) as payload_bytes
  from event.event_key k
  join event.event e on e.application_id = k.application_id and e.received_at = k.received_at and e.event_id = k.event_id
  where k.application_id = $1 and k.event_id = $2
)
insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                  payload_bytes, pool_id, lane, retry_count, event_type_name)
select $1::uuid, webhook.new_request_attempt_id(statement_timestamp()), r.event_id, r.received_at, s.subscription_id, statement_timestamp(),
       statement_timestamp(), r.payload_bytes, s.pool_id, case when coalesce(s.paused_at, s.parked_at) is null then 0 else 1 end,
       (select least(coalesce(max(f.retry_count), -1) + 1, 32000)
        from webhook.finished_attempt f
        where f.application_id = $1 and f.event_id = $2 and f.subscription_id = $3),
       r.event_type_name
from retried r
join webhook.subscription s on s.application_id = $1 and s.subscription_id = $3
where s.disabled_at is null and s.deleted_at is null
  and not exists (
    select from webhook.open_attempt a
    where a.application_id = $1 and a.event_id = $2 and a.subscription_id = $3 and a.created_at > s.cancelled_until
  )
returning request_attempt_id, pool_id
`;
