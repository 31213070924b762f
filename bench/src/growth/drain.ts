import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '@postrider/testkit/eventually';
import { slotsForOneSubscription, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import type { BenchServer } from '../bench-database.ts';
import { stopProcess, withCleanUp } from '../clean-up.ts';
import { treeCpuSeconds } from '../cpu-time.ts';
import { claimTimesBetween, readClaimTimes } from '../load/claim-times.ts';
import { readDeliveries } from '../load/deliveries.ts';
import { startFeed } from '../load/feed.ts';
import type { SeedOwner } from './seed.ts';

/** What a worker did while it was watched. */
export interface WatchedWork {
  readonly claimMeanMs: number;
  /** Rounded up to a limit of the histogram's buckets. */
  readonly claimP99Ms: number;
  readonly perSecond: number;
  /** Seconds per 1,000 deliveries, the feed's own statements included. */
  readonly databaseCpu: number;
}

export interface DrainOptions {
  readonly server: BenchServer;
  /** Deliveries before the watch begins, until code is compiled and caches are full. */
  readonly warmUp: number;
  readonly count: number;
}

const slots = 100;
const lookEveryMs = 50;
const drainTimeoutMs = 600_000;

/** Starts a worker on a backlog and watches it for so many deliveries. */
export function watchDrain(database: TestDatabase, { server, warmUp, count }: DrainOptions): Promise<WatchedWork> {
  return withCleanUp(async (defer) => {
    const worker = await startWorker({ databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(slots) });
    defer(() => stopProcess(worker));
    await untilDelivered(worker, warmUp);
    return watch(server, worker, () => untilDelivered(worker, warmUp + count));
  });
}

export interface PaceOptions {
  readonly server: BenchServer;
  readonly owner: SeedOwner;
  readonly perSecond: number;
  /** Before the watch begins. */
  readonly beforeMs: number;
  readonly watchMs: number;
}

/** Starts a worker and a steady feed, and watches it at the end of some time. */
export function watchPace(database: TestDatabase, { server, owner, perSecond, beforeMs, watchMs }: PaceOptions): Promise<WatchedWork> {
  return withCleanUp(async (defer) => {
    const worker = await startWorker({ databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(slots) });
    defer(() => stopProcess(worker));
    const feed = startFeed(database, { ...owner, perSecond });
    defer(() => feed.stop());
    await wait(beforeMs);
    return watch(server, worker, () => wait(watchMs));
  });
}

/** Holds a snapshot open while the work goes on, as a report or a backup does: what is deleted meanwhile cannot be vacuumed away. */
export function besideOpenTransaction<T>(database: TestDatabase, work: () => Promise<T>): Promise<T> {
  return database.admin.transaction(async (transaction) => {
    await transaction.query({ text: 'set transaction isolation level repeatable read' });
    await transaction.query({ text: 'select from webhook.open_attempt limit 1' });
    return work();
  });
}

async function watch(server: BenchServer, worker: WorkerProcess, until: () => Promise<unknown>): Promise<WatchedWork> {
  const claimsBefore = await readClaimTimes([worker]);
  const deliveriesBefore = await readDeliveries([worker]);
  const cpuBefore = treeCpuSeconds(server.pid);
  const startedAt = performance.now();
  await until();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = treeCpuSeconds(server.pid) - cpuBefore;
  const deliveries = (await readDeliveries([worker])) - deliveriesBefore;
  const { meanMs, p99Ms } = claimTimesBetween(claimsBefore, await readClaimTimes([worker]));
  return { claimMeanMs: meanMs, claimP99Ms: p99Ms, perSecond: deliveries / seconds, databaseCpu: (cpuSeconds / deliveries) * 1000 };
}

async function untilDelivered(worker: WorkerProcess, count: number): Promise<void> {
  await eventually(async () => (await readDeliveries([worker])) >= count, { timeoutMs: drainTimeoutMs, intervalMs: lookEveryMs });
}
