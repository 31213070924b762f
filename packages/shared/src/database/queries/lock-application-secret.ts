import type { Database } from '../pool.ts';

export interface LockedApplicationSecret {
  readonly application_secret_id: string;
  readonly name: string | null;
}

/** A secret of an application as it is until the end of the transaction; undefined when the application has none with this token. */
export async function lockApplicationSecret(
  db: Database,
  secret: { readonly applicationId: string; readonly tokenHash: Buffer },
): Promise<LockedApplicationSecret | undefined> {
  const { rows } = await db.query<LockedApplicationSecret>({
    name: 'lock_application_secret',
    text: sql,
    values: [secret.applicationId, secret.tokenHash],
  });
  return rows[0];
}

// Served by application_secret_by_token.
const sql = `
select application_secret_id, name
from iam.application_secret
where application_id = $1 and token_hash = $2 and deleted_at is null
for no key update
`;
