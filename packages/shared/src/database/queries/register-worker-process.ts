import { type Database, onlyRow } from '../pool.ts';

/** Enters a worker process into the roster and returns its number. */
export async function registerWorkerProcess(
  db: Database,
  process: { readonly name: string; readonly version: string; readonly retriesMax: number },
): Promise<number> {
  const result = await db.query<{ worker_process_id: number }>({
    name: 'register_worker_process',
    text: 'insert into webhook.worker_process (name, version, retries_max) values ($1, $2, $3) returning worker_process_id',
    values: [process.name, process.version, process.retriesMax],
  });
  return onlyRow(result).worker_process_id;
}
