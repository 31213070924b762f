import type { Database } from '../pool.ts';

/**
 * Keeps the workers of an application's organization as they are to the end of the transaction. Any number of writers of subscriptions may
 * do so at once; a change of the workers waits for them, and then sees what they wrote.
 */
export async function lockOrganizationWorkers(db: Database, applicationId: string): Promise<void> {
  await db.query({ name: 'lock_organization_workers', text: sql, values: [applicationId] });
}

// Conflicts with the lock of lock_organization, and with no other of its kind.
const sql = `
select
from event.application a
join iam.organization o on o.organization_id = a.organization_id
where a.application_id = $1
for share of o
`;
