import { eventually } from '@postrider/testkit/eventually';
import { slotsForOneSubscription, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { peakMemoryMiB, processCpuSeconds } from '../cpu-time.ts';
import { insertOwnBacklog } from './backlog.ts';
import { afterBacklog, beforeBacklog, countConnectionsDuring, type Measurement, startReading, type Surroundings } from './measurement.ts';

export interface WorkersRun {
  readonly processes: number;
  /** Of Node; those that keep the heap small otherwise. */
  readonly nodeFlags?: readonly string[];
}

const drainedTimeoutMs = 600_000;
const gapMs = 200;

/** Measures worker processes, each with all of the slots. They stand still while the backlog is made, so that all of it is due when they go on. */
export async function measureWorkers(surroundings: Surroundings, { processes, nodeFlags }: WorkersRun): Promise<Measurement> {
  const { server, sink, concurrent, attempts, warmUp } = surroundings;
  const database = await server.createDatabase();
  await insertOwnBacklog(database, sink, warmUp * processes);
  await afterBacklog(database);
  const options = { databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(concurrent), ...(nodeFlags ? { nodeFlags } : {}) };
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker(options)));
  await drained(database);

  kill(workers, 'SIGSTOP');
  await beforeBacklog(database);
  const backlog = await insertOwnBacklog(database, sink, attempts);
  await afterBacklog(database);
  const reading = await startReading(surroundings, database);
  const cpuBefore = cpuOf(workers);
  kill(workers, 'SIGCONT');
  const connections = await countConnectionsDuring(database, drained(database));
  const used = await reading.end({ deliveries: attempts, senderCpuMicros: (cpuOf(workers) - cpuBefore) * 1e6 });
  const memory = Math.max(...workers.map(({ pid }) => peakMemoryMiB(pid)));
  kill(workers, 'SIGTERM');
  await Promise.all(workers.map((worker) => worker.waitForExit()));

  const { succeeded, seconds } = await backlog.finished();
  await database.drop();
  if (succeeded !== attempts) {
    throw new Error(`Only ${succeeded} of ${attempts} attempts succeeded.`);
  }
  return { ...used, perSecond: attempts / seconds, peakMemoryMiB: memory, connections };
}

async function drained(database: TestDatabase): Promise<void> {
  await eventually(
    async () => {
      const { rowCount } = await database.admin.query({ text: 'select from webhook.open_attempt limit 1' });
      return rowCount === 0;
    },
    { timeoutMs: drainedTimeoutMs, intervalMs: gapMs },
  );
}

function cpuOf(workers: readonly WorkerProcess[]): number {
  return workers.reduce((sum, { pid }) => sum + processCpuSeconds(pid), 0);
}

function kill(workers: readonly WorkerProcess[], signal: NodeJS.Signals): void {
  for (const worker of workers) {
    worker.kill(signal);
  }
}
