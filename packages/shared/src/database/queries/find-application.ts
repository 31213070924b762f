import type { Database } from '../pool.ts';

export interface ApplicationRow {
  readonly application_id: string;
  readonly organization_id: string;
  readonly name: string;
}

/** An application that is not deleted. */
export async function findApplication(db: Database, applicationId: string): Promise<ApplicationRow | undefined> {
  const { rows } = await db.query<ApplicationRow>({ name: 'find_application', text: sql, values: [applicationId] });
  return rows[0];
}

const sql = `
select application_id, organization_id, name from event.application where application_id = $1 and deleted_at is null
`;
