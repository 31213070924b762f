import type { Database } from '../pool.ts';

/** The number of the entry that names this hash as the one before it, wherever it stands in the chain; null when there is none. */
export async function findAuditSuccessor(db: Database, organizationId: string, previousHash: string): Promise<number | null> {
  const { rows } = await db.query<{ sequence: string }>({ text: sql, values: [organizationId, previousHash] });
  return rows[0] === undefined ? null : Number(rows[0].sequence);
}

// Reads the whole chain, once, when it is broken.
const sql = `
select sequence from iam.audit_log where organization_id = $1 and previous_hash = decode($2, 'hex') order by sequence limit 1
`;
