import type { Database } from '../pool.ts';
import type { ApplicationRow } from './find-application.ts';

/** The applications of an organization, oldest first: all of them, or those with one of the ids. */
export async function listApplications(
  db: Database,
  organizationId: string,
  applicationIds: readonly string[] | null = null,
): Promise<ApplicationRow[]> {
  const { rows } = await db.query<ApplicationRow>({ name: 'list_applications', text: sql, values: [organizationId, applicationIds] });
  return rows;
}

const sql = `
select application_id, organization_id, name
from event.application
where organization_id = $1 and ($2::uuid[] is null or application_id = any ($2)) and deleted_at is null
order by application_id
`;
