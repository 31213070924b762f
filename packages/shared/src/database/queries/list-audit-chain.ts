import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

/** An entry with everything that its hash covers, as text wherever a value could be read in two ways. */
export interface ChainedAuditRow extends QueryResultRow {
  readonly organization_id: string;
  readonly sequence: string;
  readonly recorded_at: string;
  readonly actor_kind: string;
  readonly actor_id: string | null;
  readonly ip: string | null;
  readonly request_id: string | null;
  readonly action: string;
  readonly target_kind: string;
  readonly target_id: string;
  readonly application_id: string | null;
  readonly changes: string;
  readonly previous_hash: string;
  readonly hash: string;
}

/** The entries of a chain in their order, from the one after `afterSequence` on. */
export async function listAuditChain(
  db: Database,
  chain: { readonly organizationId: string; readonly afterSequence: number; readonly limit: number },
): Promise<ChainedAuditRow[]> {
  const { rows } = await db.query<ChainedAuditRow>({
    name: 'list_audit_chain',
    text: sql,
    values: [chain.organizationId, chain.afterSequence, chain.limit],
  });
  return rows;
}

// Served by audit_log_pkey.
const sql = `
select organization_id, sequence, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded_at,
       actor_kind, actor_id, ip, request_id, action, target_kind, target_id, application_id, changes::text as changes,
       encode(previous_hash, 'hex') as previous_hash, encode(hash, 'hex') as hash
from iam.audit_log
where organization_id = $1 and sequence > $2
order by sequence
limit $3
`;
