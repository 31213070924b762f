import type { Database } from '../pool.ts';

/** What a service token may do, and for whom. */
export interface ServiceTokenOwner {
  readonly service_token_id: string;
  readonly organization_id: string;
  readonly role: 'editor' | 'viewer';
  /** Null for all of the organization. */
  readonly application_ids: string[] | null;
  /** Names of operations; null for all. */
  readonly actions: string[] | null;
  /** Null when it never expires. By the clock of the database. */
  readonly expires_in_ms: number | null;
}

/** Whose token this is, by its SHA-256; undefined when it is unknown, expired or deleted, or its organization is deleted. */
export async function findServiceTokenOwner(db: Database, tokenHash: Buffer): Promise<ServiceTokenOwner | undefined> {
  const { rows } = await db.query<ServiceTokenOwner>({ name: 'find_service_token_owner', text: sql, values: [tokenHash] });
  return rows[0];
}

// Served by service_token_by_token.
const sql = `
select t.service_token_id, t.organization_id, t.role, t.application_ids, t.actions,
       (extract(epoch from t.expires_at - statement_timestamp()) * 1000)::float8 as expires_in_ms
from iam.service_token t
join iam.organization o on o.organization_id = t.organization_id and o.deleted_at is null
where t.token_hash = $1 and t.deleted_at is null and (t.expires_at is null or t.expires_at > statement_timestamp())
`;
