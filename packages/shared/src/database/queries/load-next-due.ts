import type { Database } from '../pool.ts';

/** Milliseconds until the next attempt of a pool and lane becomes due; null when none waits. Served by open_attempt_claim. */
export async function loadNextDueMs(db: Database, poolId: number, lane: number): Promise<number | null> {
  const rows = await db.queryText({ name: 'load_next_due', text: sql, values: [poolId, lane] });
  const text = rows[0]?.[0] ?? null;
  return text === null ? null : Math.max(0, Number(text));
}

const sql = `
select ceil(extract(epoch from due_at - statement_timestamp()) * 1000)::bigint
from webhook.open_attempt
where pool_id = $1 and lane = $2 and due_at > statement_timestamp()
order by due_at
limit 1
`;
