import type { Database } from '../pool.ts';
import type { WorkerRow } from './list-workers.ts';

/** A worker as it is until the end of the transaction, unless this transaction changes it; undefined when there is none. */
export async function lockWorker(db: Database, workerId: string): Promise<WorkerRow | undefined> {
  const { rows } = await db.query<WorkerRow>({ name: 'lock_worker', text: sql, values: [workerId] });
  return rows[0];
}

const sql = `
select worker_id, name, description, public, created_at from webhook.worker where worker_id = $1 and deleted_at is null for no key update
`;
