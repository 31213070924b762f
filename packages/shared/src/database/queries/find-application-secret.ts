import type { Database } from '../pool.ts';

export interface ApplicationSecretOwner {
  readonly application_secret_id: string;
  readonly application_id: string;
  readonly organization_id: string;
}

/** Whose token this is, by the SHA-256 of the token; undefined when it is unknown or deleted, or its application is. */
export async function findApplicationSecret(db: Database, tokenHash: Buffer): Promise<ApplicationSecretOwner | undefined> {
  const { rows } = await db.query<ApplicationSecretOwner>({ name: 'find_application_secret', text: sql, values: [tokenHash] });
  return rows[0];
}

// Served by application_secret_by_token.
const sql = `
select s.application_secret_id, s.application_id, a.organization_id
from iam.application_secret s
join event.application a on a.application_id = s.application_id and a.deleted_at is null
where s.token_hash = $1 and s.deleted_at is null
`;
