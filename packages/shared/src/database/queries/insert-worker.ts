import { type Database, onlyRow } from '../pool.ts';
import type { WorkerRow } from './list-workers.ts';

export interface WorkerToWrite {
  readonly workerId: string;
  readonly name: string;
  readonly description: string | null;
  readonly public: boolean;
}

/** Inserts a worker. Fails on worker_name_key when the name is taken. */
export async function insertWorker(db: Database, worker: WorkerToWrite): Promise<WorkerRow> {
  return onlyRow(
    await db.query<WorkerRow>({
      name: 'insert_worker',
      text: sql,
      values: [worker.workerId, worker.name, worker.description, worker.public],
    }),
  );
}

const sql = `
insert into webhook.worker (worker_id, name, description, public) values ($1, $2, $3, $4)
returning worker_id, name, description, public, created_at
`;
