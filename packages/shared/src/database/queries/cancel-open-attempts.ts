import type { Database } from '../pool.ts';

export interface CancelledAttempts {
  readonly count: number;
  /** Where the next call goes on, as PostgreSQL wrote it; null when nothing was left from `dueFrom` on. */
  readonly dueUntil: string | null;
}

export interface Cancellation {
  readonly subscriptionId: string;
  /** Null at first; then where the last call ended, so that no call reads again what others have removed. */
  readonly dueFrom: string | null;
  readonly limit: number;
}

/**
 * Moves up to `limit` open, unleased attempts of a subscription that is disabled, deleted or was cancelled up to a time into the log as
 * cancelled. Attempts in flight are left to their worker, so that a real answer is never dropped.
 */
export async function cancelOpenAttempts(db: Database, { subscriptionId, dueFrom, limit }: Cancellation): Promise<CancelledAttempts> {
  const rows = await db.queryText({
    name: 'cancel_open_attempts',
    text: sql,
    values: [subscriptionId, dueFrom ?? '-infinity', limit],
  });
  const count = Number(rows[0]?.[0]);
  return { count, dueUntil: count < limit ? null : (rows[0]?.[1] ?? null) };
}

// Served by open_attempt_by_subscription. Rows that a worker holds or that another instance is cancelling are skipped.
// What the subscription says stands in scalar subqueries, which are read once: joined, the rows would be sorted before the limit counts.
// The first of them keeps the rows of a subscription that cancels nothing from being read at all.
const sql = `
with cancelled as materialized (
  select a.ctid, a.due_at
  from webhook.open_attempt a
  where a.subscription_id = $1 and a.due_at >= $2::timestamptz
    and (select s.disabled_at is not null or s.deleted_at is not null or s.cancelled_until > '-infinity'
         from webhook.subscription s where s.subscription_id = $1)
    and a.created_at <= (select case when s.disabled_at is null and s.deleted_at is null then s.cancelled_until else 'infinity' end
                         from webhook.subscription s where s.subscription_id = $1)
    and (a.leased_until is null or a.leased_until <= statement_timestamp())
  order by a.due_at
  limit $3
  for update skip locked
),
removed as (
  delete from webhook.open_attempt
  where ctid = any (array(select ctid from cancelled))
  returning application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, retry_count,
            event_type_name
),
logged as (
  insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at,
                                        due_at, finished_at, failed_at, retry_count, event_type_name, reason)
  select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, statement_timestamp(),
         greatest(created_at, (select coalesce(s.cancelled_at, s.disabled_at, s.deleted_at, s.cancelled_until)
                               from webhook.subscription s where s.subscription_id = $1)),
         retry_count, event_type_name, 'cancelled'
  from removed
)
select count(*), max(due_at) from cancelled
`;
