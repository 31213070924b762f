import type { Database } from '../pool.ts';

export interface WorkerAssignment {
  readonly organizationId: string;
  readonly workerId: string;
}

/** Assigns a worker to an organization; returns whether both exist. */
export async function assignWorker(db: Database, assignment: WorkerAssignment): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'assign_worker', text: sql, values: [assignment.organizationId, assignment.workerId] });
  return rowCount === 1;
}

const sql = `
with known as materialized (
  select o.organization_id, w.worker_id
  from iam.organization o, webhook.worker w
  where o.organization_id = $1 and o.deleted_at is null and w.worker_id = $2 and w.deleted_at is null
),
assigned as (
  insert into webhook.organization_worker (organization_id, worker_id)
  select organization_id, worker_id from known
  on conflict on constraint organization_worker_pkey do nothing
)
select from known
`;
