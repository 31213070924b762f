import type { Database } from '../pool.ts';
import type { ApplicationRow } from './find-application.ts';

/** Gives an application another name; undefined when it does not exist. */
export async function renameApplication(db: Database, applicationId: string, name: string): Promise<ApplicationRow | undefined> {
  const { rows } = await db.query<ApplicationRow>({ name: 'rename_application', text: sql, values: [applicationId, name] });
  return rows[0];
}

const sql = `
update event.application set name = $2 where application_id = $1 and deleted_at is null
returning application_id, organization_id, name
`;
