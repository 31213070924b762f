import type { Database } from '../pool.ts';
import type { WorkerToWrite } from './insert-worker.ts';
import type { WorkerRow } from './list-workers.ts';

/** Writes a worker anew; undefined when there is none. Fails on worker_name_key when the name is taken. */
export async function updateWorker(db: Database, worker: WorkerToWrite): Promise<WorkerRow | undefined> {
  const { rows } = await db.query<WorkerRow>({
    name: 'update_worker',
    text: sql,
    values: [worker.workerId, worker.name, worker.description, worker.public],
  });
  return rows[0];
}

const sql = `
update webhook.worker set name = $2, description = $3, public = $4 where worker_id = $1 and deleted_at is null
returning worker_id, name, description, public, created_at
`;
