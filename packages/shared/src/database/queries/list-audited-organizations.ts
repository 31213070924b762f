import type { Database } from '../pool.ts';

/** Everything that has a chain in the audit log, in the order of ids. */
export async function listAuditedOrganizations(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ organization_id: string }>({ name: 'list_audited_organizations', text: sql });
  return rows.map((row) => row.organization_id);
}

// From one id to the next by audit_log_pkey: a chain costs one look-up, however long it is.
const sql = `
with recursive chain as (
  (select organization_id from iam.audit_log order by organization_id limit 1)
  union all
  select (select l.organization_id from iam.audit_log l where l.organization_id > c.organization_id order by l.organization_id limit 1)
  from chain c
  where c.organization_id is not null
)
select organization_id from chain where organization_id is not null
`;
