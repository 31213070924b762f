import type { Database } from '../pool.ts';

/**
 * Keeps an application from being deleted to the end of the transaction; returns whether it is there. Any number of writers may do so at
 * once; a deletion waits for them, and then deletes what they wrote.
 */
export async function holdApplication(db: Database, applicationId: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'hold_application', text: sql, values: [applicationId] });
  return rowCount === 1;
}

const sql = `
select from event.application where application_id = $1 and deleted_at is null for share
`;
