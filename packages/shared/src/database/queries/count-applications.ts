import { type Database, onlyRow } from '../pool.ts';

/** How many applications an organization has. */
export async function countApplications(db: Database, organizationId: string): Promise<number> {
  return onlyRow(await db.query<{ amount: number }>({ name: 'count_applications', text: sql, values: [organizationId] })).amount;
}

// Served by application_by_organization.
const sql = `
select count(*)::integer as amount from event.application where organization_id = $1 and deleted_at is null
`;
