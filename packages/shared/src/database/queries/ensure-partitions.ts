import type { Database } from '../pool.ts';
import { onlyRow } from '../pool.ts';

/** Makes the daily partitions that are missing from yesterday to three days ahead; returns how many it made. */
export async function ensurePartitions(db: Database): Promise<number> {
  const result = await db.query<{ made: number }>({ name: 'ensure_partitions', text: 'select webhook.ensure_partitions() as made' });
  return onlyRow(result).made;
}
