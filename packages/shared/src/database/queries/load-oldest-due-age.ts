import type { Database } from '../pool.ts';

/**
 * How long the oldest due attempt of the public pool's normal lane has waited, in milliseconds; 0 when none is due that no worker holds.
 * Served by open_attempt_claim, of which it reads the head.
 */
export async function loadOldestDueAgeMs(db: Database): Promise<number> {
  const rows = await db.queryText({ name: 'load_oldest_due_age', text: sql, values: [] });
  return Number(rows[0]?.[0] ?? 0);
}

// Not a count: it has to be cheap just when the queue is longest.
const sql = `
select floor(extract(epoch from statement_timestamp() - due_at) * 1000)::bigint
from webhook.open_attempt
where pool_id = 0 and lane = 0 and due_at <= statement_timestamp() and (leased_until is null or leased_until <= statement_timestamp())
order by due_at
limit 1
`;
