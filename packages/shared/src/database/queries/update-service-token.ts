import type { Database } from '../pool.ts';
import type { ServiceTokenToWrite } from './insert-service-token.ts';
import type { ServiceTokenRow } from './list-service-tokens.ts';

/** Writes a service token anew; the token itself stays. Undefined when the organization has no such token. */
export async function updateServiceToken(db: Database, token: ServiceTokenToWrite): Promise<ServiceTokenRow | undefined> {
  const { serviceTokenId, organizationId, name, role, applicationIds, actions, expiresAt } = token;
  const { rows } = await db.query<ServiceTokenRow>({
    name: 'update_service_token',
    text: sql,
    values: [serviceTokenId, organizationId, name, role, applicationIds, actions, expiresAt],
  });
  return rows[0];
}

const sql = `
update iam.service_token
set name = $3, role = $4, application_ids = $5, actions = $6, expires_at = $7
where service_token_id = $1 and organization_id = $2 and deleted_at is null
returning service_token_id, name, role, application_ids, actions, token_sealed, created_at, expires_at
`;
