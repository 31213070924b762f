import type { Database } from '../pool.ts';

export interface MovedAttempts {
  readonly count: number;
  /** The pool whose workers have them to deliver now; empty when none was moved, or only into the parked lane. */
  readonly poolIds: readonly number[];
  /** The latest due time that was moved, in microseconds since 1970: where the next call goes on. Null when none was moved. */
  readonly dueUntilMicros: number | null;
}

/**
 * Puts up to `limit` open, unleased attempts of a subscription into the pool and lane that it has now, those that are due first before the
 * others. `dueFromMicros` skips what earlier calls have been through; 0 looks at all.
 */
export async function moveOpenAttempts(
  db: Database,
  subscriptionId: string,
  { limit, dueFromMicros }: { readonly limit: number; readonly dueFromMicros: number },
): Promise<MovedAttempts> {
  const rows = await db.queryText({ name: 'move_open_attempts', text: sql, values: [subscriptionId, limit, dueFromMicros] });
  const poolIds = rows.filter((row) => row[1] === '0').map((row) => Number(row[0]));
  const dueUntilMicros = rows[0] ? Number(rows[0][2]) : null;
  return { count: rows.length, poolIds: [...new Set(poolIds)], dueUntilMicros };
}

// Served by open_attempt_by_subscription, in its order. The subscription comes in by scalar subqueries: joined, the order of the index is
// lost, and each call sorts all that waits. Without the due time to begin at, each call walks over all that the calls before it moved; it
// stands beside the subscription in one comparison, since alone it lets a plan that is made while the queue is empty read open_attempt_claim
// from end to end.
const sql = `
with wanted as materialized (
  select pool_id, case when coalesce(paused_at, parked_at) is null then 0 else 1 end as lane
  from webhook.subscription
  where subscription_id = $1
),
stranded as materialized (
  select ctid, due_at
  from webhook.open_attempt
  where subscription_id = $1 and (subscription_id, due_at) >= ($1, timestamptz 'epoch' + $3::bigint * interval '1 microsecond')
    and (pool_id <> (select pool_id from wanted) or lane <> case when is_test then 0 else (select lane from wanted) end)
    and (leased_until is null or leased_until <= statement_timestamp())
  order by due_at
  limit $2
  for update skip locked
)
update webhook.open_attempt
set pool_id = (select pool_id from wanted), lane = case when is_test then 0 else (select lane from wanted) end
where ctid = any (array(select ctid from stranded))
returning pool_id, lane, (select (extract(epoch from max(due_at)) * 1000000)::bigint from stranded)
`;
