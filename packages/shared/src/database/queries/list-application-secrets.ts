import type { Database } from '../pool.ts';

export interface ApplicationSecretRow {
  readonly application_secret_id: string;
  readonly name: string | null;
  readonly token_sealed: Buffer;
  readonly created_at: Date;
  readonly deleted_at: Date | null;
}

/** The secrets of an application that are not deleted, oldest first. Served by application_secret_by_application. */
export async function listApplicationSecrets(db: Database, applicationId: string): Promise<ApplicationSecretRow[]> {
  const { rows } = await db.query<ApplicationSecretRow>({ name: 'list_application_secrets', text: sql, values: [applicationId] });
  return rows;
}

const sql = `
select application_secret_id, name, token_sealed, created_at, deleted_at
from iam.application_secret
where application_id = $1 and deleted_at is null
order by created_at, application_secret_id
`;
