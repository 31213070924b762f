import type { Database } from '../pool.ts';

export interface ServiceTokenRow {
  readonly service_token_id: string;
  readonly name: string;
  readonly role: 'editor' | 'viewer';
  readonly application_ids: string[] | null;
  readonly actions: string[] | null;
  readonly token_sealed: Buffer;
  readonly created_at: Date;
  readonly expires_at: Date | null;
}

export interface ServiceTokenFilter {
  readonly organizationId: string;
  /** Left out: all of them. */
  readonly serviceTokenId?: string;
}

/** The service tokens of an organization that are not deleted, oldest first, expired ones included; or one of them. */
export async function listServiceTokens(db: Database, filter: ServiceTokenFilter): Promise<ServiceTokenRow[]> {
  const { rows } = await db.query<ServiceTokenRow>({
    name: 'list_service_tokens',
    text: sql,
    values: [filter.organizationId, filter.serviceTokenId ?? null],
  });
  return rows;
}

// Served by service_token_by_organization.
const sql = `
select service_token_id, name, role, application_ids, actions, token_sealed, created_at, expires_at
from iam.service_token
where organization_id = $1 and ($2::uuid is null or service_token_id = $2) and deleted_at is null
order by created_at, service_token_id
`;
