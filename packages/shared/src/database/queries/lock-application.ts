import type { Database } from '../pool.ts';

/** Waits until nobody writes what belongs to an application, and keeps it so to the end of the transaction. */
export async function lockApplication(db: Database, applicationId: string): Promise<void> {
  await db.query({ name: 'lock_application', text: sql, values: [applicationId] });
}

// Conflicts with the lock of hold_application. Not `for update`, which would also wait for every foreign key check.
const sql = `
select from event.application where application_id = $1 for no key update
`;
