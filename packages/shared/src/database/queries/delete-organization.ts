import type { Database } from '../pool.ts';

/** Marks an organization without applications as deleted; returns whether it did. */
export async function deleteOrganization(db: Database, organizationId: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'delete_organization', text: sql, values: [organizationId] });
  return rowCount === 1;
}

const sql = `
update iam.organization o
set deleted_at = statement_timestamp()
where o.organization_id = $1 and o.deleted_at is null
  and not exists (select from event.application a where a.organization_id = o.organization_id and a.deleted_at is null)
`;
