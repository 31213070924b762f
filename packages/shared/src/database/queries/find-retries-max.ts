import { type Database, onlyRow } from '../pool.ts';

/** How many retries the workers that live make at most; null when none says. Served by worker_process_live. */
export async function findRetriesMax(db: Database, aliveWithinMs: number): Promise<number | null> {
  const result = await db.query<{ retries_max: number | null }>({ name: 'find_retries_max', text: sql, values: [aliveWithinMs] });
  return onlyRow(result).retries_max;
}

const sql = `
select max(retries_max) as retries_max
from webhook.worker_process
where stopped_at is null and last_seen_at > statement_timestamp() - $1 * interval '1 millisecond'
`;
