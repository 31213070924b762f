import type { Database } from '../pool.ts';

/** The number of the pool of exactly these workers, made when there is none; 0 for no workers, which means all public ones. */
export async function upsertWorkerPool(db: Database, workerIds: readonly string[]): Promise<number> {
  const sorted = [...new Set(workerIds)].toSorted();
  for (;;) {
    const { rows } = await db.query<{ pool_id: number }>({ name: 'upsert_worker_pool', text: sql, values: [sorted] });
    // Another process may have made it between the two parts of the statement; then it is there the next time.
    if (rows[0]) {
      return rows[0].pool_id;
    }
  }
}

const sql = `
with known as materialized (
  select pool_id from webhook.worker_pool where worker_ids = $1::uuid[]
),
made as (
  insert into webhook.worker_pool (worker_ids)
  select $1::uuid[] where not exists (select from known)
  on conflict on constraint worker_pool_worker_ids_key do nothing
  returning pool_id
)
select pool_id from known
union all
select pool_id from made
`;
