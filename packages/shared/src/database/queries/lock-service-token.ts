import type { Database } from '../pool.ts';
import type { ServiceTokenRow } from './list-service-tokens.ts';

export type LockedServiceToken = Pick<ServiceTokenRow, 'name' | 'role' | 'application_ids' | 'actions' | 'expires_at'>;

/** A service token as it is until the end of the transaction; undefined when the organization has no such token. */
export async function lockServiceToken(
  db: Database,
  token: { readonly organizationId: string; readonly serviceTokenId: string },
): Promise<LockedServiceToken | undefined> {
  const { rows } = await db.query<LockedServiceToken>({
    name: 'lock_service_token',
    text: sql,
    values: [token.organizationId, token.serviceTokenId],
  });
  return rows[0];
}

// Served by service_token_pkey.
const sql = `
select name, role, application_ids, actions, expires_at
from iam.service_token
where organization_id = $1 and service_token_id = $2 and deleted_at is null
for no key update
`;
