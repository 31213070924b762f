import { type Database, onlyRow } from '../pool.ts';

/** Enters a worker process into the roster and returns its number. */
export async function registerWorkerProcess(db: Database, process: { readonly name: string; readonly version: string }): Promise<number> {
  const result = await db.query<{ worker_process_id: number }>({
    name: 'register_worker_process',
    text: 'insert into webhook.worker_process (name, version) values ($1, $2) returning worker_process_id',
    values: [process.name, process.version],
  });
  return onlyRow(result).worker_process_id;
}
