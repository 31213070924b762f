import type { Database } from '../pool.ts';

/** Takes a worker process out of the roster; its row stays, since finished attempts name it. */
export async function stopWorkerProcess(db: Database, workerProcessId: number): Promise<void> {
  await db.query({
    name: 'stop_worker_process',
    text: 'update webhook.worker_process set stopped_at = statement_timestamp() where worker_process_id = $1',
    values: [workerProcessId],
  });
}
