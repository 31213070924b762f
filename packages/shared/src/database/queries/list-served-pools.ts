import type { Database } from '../pool.ts';

/**
 * The pools that a worker of this name serves: the public one (0) unless it is registered as private, and those that it is
 * assigned to.
 */
export async function listServedPools(db: Database, workerName: string): Promise<number[]> {
  const { rows } = await db.query<{ pool_id: number }>({ name: 'list_served_pools', text: sql, values: [workerName] });
  return rows.map((row) => row.pool_id);
}

const sql = `
select p.pool_id
from webhook.worker_pool p
left join webhook.worker w on w.name = $1 and w.deleted_at is null
where (p.pool_id = 0 and coalesce(w.public, true)) or w.worker_id = any (p.worker_ids)
order by p.pool_id
`;
