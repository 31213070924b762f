import type { Database } from '../pool.ts';
import type { ApplicationRow } from './find-application.ts';

export interface NewApplication {
  readonly applicationId: string;
  readonly organizationId: string;
  readonly name: string;
}

/** Inserts an application; undefined when its organization does not exist. */
export async function insertApplication(db: Database, application: NewApplication): Promise<ApplicationRow | undefined> {
  const { rows } = await db.query<ApplicationRow>({
    name: 'insert_application',
    text: sql,
    values: [application.applicationId, application.organizationId, application.name],
  });
  return rows[0];
}

const sql = `
insert into event.application (application_id, organization_id, name)
select $1, organization_id, $3
from iam.organization
where organization_id = $2 and deleted_at is null
returning application_id, organization_id, name
`;
