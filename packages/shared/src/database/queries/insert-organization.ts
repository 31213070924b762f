import type { Database } from '../pool.ts';

/** Inserts an organization; returns whether it did. One with this id that is there already stays as it is. */
export async function insertOrganization(
  db: Database,
  organization: { readonly organizationId: string; readonly name: string },
): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'insert_organization', text: sql, values: [organization.organizationId, organization.name] });
  return rowCount === 1;
}

const sql = `
insert into iam.organization (organization_id, name) values ($1, $2)
on conflict (organization_id) do nothing
`;
