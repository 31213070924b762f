import { type Database, onlyRow } from '../pool.ts';

/** Whether an application has more than so many attempts in the queue. Reads no more of it than that. Served by open_attempt_pkey. */
export async function isQueueLongerThan(db: Database, applicationId: string, count: number): Promise<boolean> {
  const result = await db.query<{ is_longer: boolean }>({ name: 'is_queue_longer_than', text: sql, values: [applicationId, count] });
  return onlyRow(result).is_longer;
}

const sql = `
select exists (select from webhook.open_attempt where application_id = $1 offset $2 limit 1) as is_longer
`;
