import type { Database } from '../pool.ts';
import type { ApplicationRow } from './find-application.ts';

/**
 * An application as it is until the end of the transaction, unless this transaction changes it; undefined when it does not exist. Waits until
 * nobody writes what belongs to it.
 */
export async function lockApplication(db: Database, applicationId: string): Promise<ApplicationRow | undefined> {
  const { rows } = await db.query<ApplicationRow>({ name: 'lock_application', text: sql, values: [applicationId] });
  return rows[0];
}

// Conflicts with the lock of hold_application. Not `for update`, which would also wait for every foreign key check.
const sql = `
select application_id, organization_id, name from event.application where application_id = $1 and deleted_at is null for no key update
`;
