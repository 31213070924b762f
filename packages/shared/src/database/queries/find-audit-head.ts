import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface AuditHeadRow extends QueryResultRow {
  readonly sequence: string;
  readonly hash: string;
}

/** The last entry of an organization's chain; undefined when there is none. */
export async function findAuditHead(db: Database, organizationId: string): Promise<AuditHeadRow | undefined> {
  const { rows } = await db.query<AuditHeadRow>({ name: 'find_audit_head', text: sql, values: [organizationId] });
  return rows[0];
}

// Served by audit_log_pkey, read from its end.
const sql = `
select sequence, encode(hash, 'hex') as hash from iam.audit_log where organization_id = $1 order by sequence desc limit 1
`;
