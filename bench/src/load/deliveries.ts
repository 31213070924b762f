import type { WorkerProcess } from '@postrider/testkit/postrider-processes';

/** How many deliveries some workers have recorded as succeeded. */
export async function readDeliveries(workers: readonly WorkerProcess[]): Promise<number> {
  const counts = await Promise.all(workers.map(({ opsUrl }) => readCounter(opsUrl)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function readCounter(opsUrl: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  return Number(/^postrider_worker_deliveries_total\{status="succeeded"\} ([\d.e+-]+)/m.exec(text)?.[1] ?? 0);
}
