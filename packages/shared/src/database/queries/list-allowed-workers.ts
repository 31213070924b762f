import type { Database } from '../pool.ts';

export interface AllowedWorker {
  readonly worker_id: string;
  readonly name: string;
  readonly is_assigned: boolean;
}

/** The workers that subscriptions of an application may name: the public ones and those assigned to its organization. */
export async function listAllowedWorkers(db: Database, applicationId: string): Promise<AllowedWorker[]> {
  const { rows } = await db.query<AllowedWorker>({ name: 'list_allowed_workers', text: sql, values: [applicationId] });
  return rows;
}

const sql = `
select w.worker_id, w.name, o.worker_id is not null as is_assigned
from event.application a
cross join webhook.worker w
left join webhook.organization_worker o on o.worker_id = w.worker_id and o.organization_id = a.organization_id
where a.application_id = $1 and w.deleted_at is null and (w.public or o.worker_id is not null)
`;
