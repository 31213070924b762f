import type { WorkerProcess } from '@postrider/testkit/postrider-processes';

/** How many statements some workers have sent, and how many rows were in them. */
export interface GroupSizes {
  readonly statements: number;
  readonly rows: number;
}

/** Reads the counters of all workers together. */
export async function readGroupSizes(
  workers: readonly WorkerProcess[],
  metric: 'postrider_worker_claim_rows' | 'postrider_worker_record_rows',
): Promise<GroupSizes> {
  const pages = await Promise.all(workers.map(async ({ opsUrl }) => (await fetch(`${opsUrl}/metrics`)).text()));
  const total = (name: string): number =>
    pages.reduce((sum, page) => sum + Number(new RegExp(`^${name} ([\\d.e+-]+)`, 'm').exec(page)?.[1] ?? 0), 0);
  return { statements: total(`${metric}_count`), rows: total(`${metric}_sum`) };
}

/** Rows per statement between two readings. */
export function rowsPerStatement(before: GroupSizes, after: GroupSizes): number {
  return (after.rows - before.rows) / (after.statements - before.statements);
}
