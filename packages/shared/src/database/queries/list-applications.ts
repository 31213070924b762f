import type { Database } from '../pool.ts';
import type { ApplicationRow } from './find-application.ts';

/** The applications of an organization, oldest first. */
export async function listApplications(db: Database, organizationId: string): Promise<ApplicationRow[]> {
  const { rows } = await db.query<ApplicationRow>({ name: 'list_applications', text: sql, values: [organizationId] });
  return rows;
}

const sql = `
select application_id, organization_id, name
from event.application
where organization_id = $1 and deleted_at is null
order by application_id
`;
