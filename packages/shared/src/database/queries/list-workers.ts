import type { Database } from '../pool.ts';

export interface WorkerRow {
  readonly worker_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly public: boolean;
  readonly created_at: Date;
}

/** Registered workers by name: all of them, or those assigned to an organization. */
export async function listWorkers(db: Database, organizationId: string | null = null): Promise<WorkerRow[]> {
  const { rows } = await db.query<WorkerRow>({ name: 'list_workers', text: sql, values: [organizationId] });
  return rows;
}

const sql = `
select w.worker_id, w.name, w.description, w.public, w.created_at
from webhook.worker w
where w.deleted_at is null
  and ($1::uuid is null
       or exists (select from webhook.organization_worker o where o.worker_id = w.worker_id and o.organization_id = $1))
order by w.name
`;
