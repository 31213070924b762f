import type { Database } from '../pool.ts';
import type { ApplicationSecretRow } from './list-application-secrets.ts';

/** Gives a secret of an application another name; undefined when the application has no such secret. */
export async function renameApplicationSecret(
  db: Database,
  secret: { readonly applicationId: string; readonly tokenHash: Buffer; readonly name: string | null },
): Promise<ApplicationSecretRow | undefined> {
  const { rows } = await db.query<ApplicationSecretRow>({
    name: 'rename_application_secret',
    text: sql,
    values: [secret.applicationId, secret.tokenHash, secret.name],
  });
  return rows[0];
}

const sql = `
update iam.application_secret
set name = $3
where application_id = $1 and token_hash = $2 and deleted_at is null
returning application_secret_id, name, token_sealed, created_at, deleted_at
`;
