import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface HastenedRow extends QueryResultRow {
  readonly request_attempt_id: string;
  readonly pool_id: number;
  /** A worker holds it: it is being tried, or about to be. */
  readonly is_leased: boolean;
}

/** Which delivery: of an event to a subscription. */
export interface Delivery {
  readonly applicationId: string;
  readonly eventId: string;
  readonly subscriptionId: string;
}

/**
 * Makes the open attempt of a delivery due now, unless it is already or a worker holds it: of several the given one, else the one that is
 * due first. Undefined when none is open.
 */
export async function hastenOpenAttempt(db: Database, delivery: Delivery, requestAttemptId: string): Promise<HastenedRow | undefined> {
  const { rows } = await db.query<HastenedRow>({
    name: 'hasten_open_attempt',
    text: sql,
    values: [delivery.applicationId, delivery.eventId, delivery.subscriptionId, requestAttemptId],
  });
  return rows[0];
}

// Served by open_attempt_by_event. One whose outcome is being recorded meanwhile is gone when its lock is had: then none comes back, and the
// caller looks again. The update writes due_at only where that changes something, so that a second call leaves no trace.
const sql = `
with wanted as materialized (
  select a.ctid, a.request_attempt_id, a.pool_id, a.due_at, coalesce(a.leased_until > statement_timestamp(), false) as is_leased
  from webhook.open_attempt a
  join webhook.subscription s on s.subscription_id = a.subscription_id
  where a.application_id = $1 and a.event_id = $2 and a.subscription_id = $3 and a.created_at > s.cancelled_until
  order by a.request_attempt_id = $4 desc, a.due_at
  limit 1
  for no key update of a
),
hastened as (
  update webhook.open_attempt
  set due_at = statement_timestamp()
  where ctid = any (array(select ctid from wanted where not is_leased and due_at > statement_timestamp()))
)
select request_attempt_id, pool_id, is_leased from wanted
`;
