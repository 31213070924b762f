import type { Database } from '../pool.ts';

/** Shows that a worker process is alive and returns the numbers of all that are, in order. */
export async function beatWorkerProcess(db: Database, workerProcessId: number, aliveWithinMs: number): Promise<number[]> {
  const { rows } = await db.query<{ worker_process_id: number }>({
    name: 'beat_worker_process',
    text: sql,
    values: [workerProcessId, aliveWithinMs],
  });
  return rows.map((row) => row.worker_process_id);
}

// The select does not see the update of the same statement, so the beating process is named besides.
const sql = `
with beat as (
  update webhook.worker_process set last_seen_at = statement_timestamp(), stopped_at = null where worker_process_id = $1
)
select worker_process_id
from webhook.worker_process
where worker_process_id = $1
   or (stopped_at is null and last_seen_at > statement_timestamp() - $2 * interval '1 millisecond')
order by worker_process_id
`;
