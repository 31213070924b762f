import type { QueryResultRow } from 'pg';
import { int4Array } from '../binary-array.ts';
import type { Database } from '../pool.ts';
import { healthColumns, type SubscriptionHealthRow } from '../subscription-health-row.ts';

/** A subscription whose parked attempts this process delivers. */
export interface ParkedSubscriptionRow extends SubscriptionHealthRow, QueryResultRow {
  readonly subscription_id: string;
  readonly in_flight_max: number | null;
  readonly rate_requests: number | null;
  readonly rate_period_ms: number | null;
}

export interface Taking {
  readonly workerProcessId: number;
  readonly poolIds: readonly number[];
  readonly ownedForMs: number;
  /** How many to take beside those that the process has. */
  readonly takenMax: number;
}

/**
 * Prolongs what a process has of the parked subscriptions and takes some more that are nobody's, those first that have waited for longest.
 * Returns all that it has now: one that is missing was let go, because it is not parked any more, paused, ended, or other workers' business.
 */
export async function takeParkedSubscriptions(db: Database, taking: Taking): Promise<ParkedSubscriptionRow[]> {
  const { rows } = await db.query<ParkedSubscriptionRow>({
    name: 'take_parked_subscriptions',
    text: sql,
    values: [taking.workerProcessId, int4Array([...taking.poolIds]), taking.ownedForMs, taking.takenMax],
  });
  return rows;
}

// Reads all of subscription_health, which has a row for each subscription in trouble and no other. Two processes that take at the same time
// skip what the other one is taking.
const sql = `
with mine as materialized (
  select h.subscription_id
  from webhook.subscription_health h
  join webhook.subscription s on s.subscription_id = h.subscription_id
  where h.park_reason is not null and h.worker_process_id = $1
    and s.pool_id = any ($2::integer[]) and s.paused_at is null and s.disabled_at is null and s.deleted_at is null
  order by h.subscription_id
  for no key update of h
),
free as materialized (
  select h.subscription_id
  from webhook.subscription_health h
  join webhook.subscription s on s.subscription_id = h.subscription_id
  where h.park_reason is not null and (h.owned_until is null or h.owned_until <= statement_timestamp()) and h.worker_process_id is distinct from $1
    and s.pool_id = any ($2::integer[]) and s.paused_at is null and s.disabled_at is null and s.deleted_at is null
  order by h.owned_until nulls first
  limit $4
  for no key update of h skip locked
)
update webhook.subscription_health h
set worker_process_id = $1, owned_until = statement_timestamp() + $3::integer * interval '1 millisecond'
from webhook.subscription s
where h.subscription_id = any (array(select subscription_id from mine union all select subscription_id from free))
  and s.subscription_id = h.subscription_id
returning h.subscription_id, s.in_flight_max, s.rate_requests, s.rate_period_ms, ${healthColumns}
`;
