import type { WorkerProcess } from '@postrider/testkit/postrider-processes';

/** Durations of claim statements since some workers started. */
export interface ClaimTimes {
  readonly count: number;
  readonly seconds: number;
  /** How many took at most so many seconds; the last is for all. */
  readonly buckets: ReadonlyMap<number, number>;
}

const metric = 'postrider_worker_claim_duration_seconds';

/** Reads the counters of all workers together. */
export async function readClaimTimes(workers: readonly WorkerProcess[]): Promise<ClaimTimes> {
  const buckets = new Map<number, number>();
  let count = 0;
  let seconds = 0;
  for (const worker of workers) {
    const text = await (await fetch(`${worker.opsUrl}/metrics`)).text();
    count += Number(new RegExp(`^${metric}_count ([\\d.e+-]+)`, 'm').exec(text)?.[1]);
    seconds += Number(new RegExp(`^${metric}_sum ([\\d.e+-]+)`, 'm').exec(text)?.[1]);
    for (const [, upTo, value] of text.matchAll(new RegExp(`^${metric}_bucket\\{le="([^"]+)"\\} (\\d+)`, 'gm'))) {
      const limit = upTo === '+Inf' ? Number.POSITIVE_INFINITY : Number(upTo);
      buckets.set(limit, (buckets.get(limit) ?? 0) + Number(value));
    }
  }
  return { count, seconds, buckets };
}

/** Mean and an upper bound of the 99th percentile between two readings, in milliseconds. */
export function claimTimesBetween(before: ClaimTimes, after: ClaimTimes): { count: number; meanMs: number; p99Ms: number } {
  const count = after.count - before.count;
  const within = [...after.buckets].find(([upTo, value]) => value - (before.buckets.get(upTo) ?? 0) >= count * 0.99);
  return { count, meanMs: ((after.seconds - before.seconds) / count) * 1000, p99Ms: (within?.[0] ?? Number.NaN) * 1000 };
}
