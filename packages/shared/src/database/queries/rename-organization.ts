import type { Database } from '../pool.ts';

/** Gives an organization another name; returns whether there is one. */
export async function renameOrganization(db: Database, organizationId: string, name: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'rename_organization', text: sql, values: [organizationId, name] });
  return rowCount === 1;
}

const sql = `
update iam.organization set name = $2 where organization_id = $1 and deleted_at is null
`;
