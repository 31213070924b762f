import type { Database } from '../pool.ts';

/**
 * Moves up to `limit` open, unleased attempts of a subscription that is disabled, deleted or was cancelled up to a time into the log as
 * cancelled. Returns how many it moved. Attempts in flight are left to their worker, so that a real answer is never dropped.
 */
export async function cancelOpenAttempts(db: Database, subscriptionId: string, limit: number): Promise<number> {
  const rows = await db.queryText({ name: 'cancel_open_attempts', text: sql, values: [subscriptionId, limit] });
  return rows.length;
}

// Served by open_attempt_by_subscription. Rows that a worker holds or that another instance is cancelling are skipped.
const sql = `
with cancelled as materialized (
  select a.ctid
  from webhook.subscription s
  join webhook.open_attempt a on a.subscription_id = s.subscription_id
  where s.subscription_id = $1
    and (s.disabled_at is not null or s.deleted_at is not null or a.created_at <= s.cancelled_until)
    and (a.leased_until is null or a.leased_until <= statement_timestamp())
  limit $2
  for update of a skip locked
),
removed as (
  delete from webhook.open_attempt
  where ctid = any (array(select ctid from cancelled))
  returning application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, retry_count,
            event_type_name
)
insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                      finished_at, failed_at, retry_count, event_type_name, reason)
select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
       statement_timestamp(), statement_timestamp(), retry_count, event_type_name, 'cancelled'
from removed
returning 1
`;
