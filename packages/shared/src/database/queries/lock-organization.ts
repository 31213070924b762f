import type { Database } from '../pool.ts';

/**
 * Waits until nobody else changes an organization's workers or writes subscriptions that follow them, and keeps it so to the end of the
 * transaction: what is read afterwards is what holds at its commit.
 */
export async function lockOrganization(db: Database, organizationId: string): Promise<void> {
  await db.query({ name: 'lock_organization', text: sql, values: [organizationId] });
}

// Not `for update`, which would also wait for every transaction that inserts an application.
const sql = `
select from iam.organization where organization_id = $1 for no key update
`;
