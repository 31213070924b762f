import type { Database } from '../pool.ts';

/**
 * Waits until nobody else changes an organization or its workers, or writes subscriptions that follow them, and keeps it so to the end of the
 * transaction: what is read afterwards is what holds at its commit. Undefined when the organization does not exist.
 */
export async function lockOrganization(db: Database, organizationId: string): Promise<{ name: string } | undefined> {
  const { rows } = await db.query<{ name: string }>({ name: 'lock_organization', text: sql, values: [organizationId] });
  return rows[0];
}

// Not `for update`, which would also wait for every transaction that inserts an application.
const sql = `
select name from iam.organization where organization_id = $1 and deleted_at is null for no key update
`;
