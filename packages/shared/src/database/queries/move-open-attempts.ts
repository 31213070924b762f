import type { Database } from '../pool.ts';

export interface MovedAttempts {
  readonly count: number;
  /** The pool that they are in now; empty when none was moved. */
  readonly poolIds: readonly number[];
}

/** Puts up to `limit` open, unleased attempts of a subscription into the pool that it has now. */
export async function moveOpenAttempts(db: Database, subscriptionId: string, limit: number): Promise<MovedAttempts> {
  const rows = await db.queryText({ name: 'move_open_attempts', text: sql, values: [subscriptionId, limit] });
  return { count: rows.length, poolIds: [...new Set(rows.map((row) => Number(row[0])))] };
}

// Served by open_attempt_by_subscription.
const sql = `
with stranded as materialized (
  select a.ctid, s.pool_id
  from webhook.subscription s
  join webhook.open_attempt a on a.subscription_id = s.subscription_id
  where s.subscription_id = $1 and a.pool_id <> s.pool_id
    and (a.leased_until is null or a.leased_until <= statement_timestamp())
  limit $2
  for update of a skip locked
)
update webhook.open_attempt
set pool_id = (select pool_id from stranded limit 1)
where ctid = any (array(select ctid from stranded))
returning pool_id
`;
