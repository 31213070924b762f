import type { Database } from '../pool.ts';
import type { ServiceTokenRow } from './list-service-tokens.ts';

/** What a client decides about a service token. */
export interface ServiceTokenToWrite {
  readonly serviceTokenId: string;
  readonly organizationId: string;
  readonly name: string;
  readonly role: 'editor' | 'viewer';
  readonly applicationIds: readonly string[] | null;
  readonly actions: readonly string[] | null;
  readonly expiresAt: Date | null;
}

export interface NewServiceToken extends ServiceTokenToWrite {
  readonly tokenHash: Buffer;
  readonly tokenSealed: Buffer;
}

/** Inserts a service token; undefined when its organization does not exist. */
export async function insertServiceToken(db: Database, token: NewServiceToken): Promise<ServiceTokenRow | undefined> {
  const { serviceTokenId, organizationId, name, role, applicationIds, actions, expiresAt, tokenHash, tokenSealed } = token;
  const { rows } = await db.query<ServiceTokenRow>({
    name: 'insert_service_token',
    text: sql,
    values: [serviceTokenId, organizationId, name, role, applicationIds, actions, expiresAt, tokenHash, tokenSealed],
  });
  return rows[0];
}

const sql = `
insert into iam.service_token (service_token_id, organization_id, name, role, application_ids, actions, expires_at, token_hash, token_sealed)
select $1, organization_id, $3, $4, $5, $6, $7, $8, $9
from iam.organization
where organization_id = $2 and deleted_at is null
returning service_token_id, name, role, application_ids, actions, token_sealed, created_at, expires_at
`;
