import { eventually } from '@postrider/testkit/eventually';
import { slotsForOneSubscription, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { peakMemoryMiB, processCpuSeconds } from '../cpu-time.ts';
import { clearOwnLog, insertOwnBacklog } from './backlog.ts';
import {
  afterBacklog,
  beforeBacklog,
  countConnectionsDuring,
  type Measurement,
  type PreparedContender,
  startReading,
  type Surroundings,
} from './measurement.ts';

export interface WorkersRun {
  readonly processes: number;
  /** Of Node; those that keep the heap small otherwise. */
  readonly nodeFlags?: readonly string[];
}

const drainedTimeoutMs = 600_000;
const gapMs = 200;

/** Worker processes, each with all of the slots. They stand still while a backlog is made, so that all of it is due when they go on. */
export async function prepareWorkers(surroundings: Surroundings, { processes, nodeFlags }: WorkersRun): Promise<PreparedContender> {
  const { server, sink, concurrent, warmUp } = surroundings;
  const database = await server.createDatabase();
  await insertOwnBacklog(database, sink, warmUp * processes);
  await afterBacklog(database);
  const options = { databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(concurrent), ...(nodeFlags ? { nodeFlags } : {}) };
  const workers = await Promise.all(Array.from({ length: processes }, () => startWorker(options)));
  await drained(database);
  kill(workers, 'SIGSTOP');
  await clearOwnLog(database);
  return {
    measure: () => measureWorkers(surroundings, workers, database),
    async stop() {
      kill(workers, 'SIGCONT');
      kill(workers, 'SIGTERM');
      await Promise.all(workers.map((worker) => worker.waitForExit()));
      await database.drop();
    },
  };
}

async function measureWorkers(surroundings: Surroundings, workers: readonly WorkerProcess[], database: TestDatabase): Promise<Measurement> {
  const { sink, attempts } = surroundings;
  await beforeBacklog(database);
  const backlog = await insertOwnBacklog(database, sink, attempts);
  await afterBacklog(database);
  const reading = await startReading(surroundings, database);
  const cpuBefore = cpuOf(workers);
  kill(workers, 'SIGCONT');
  const connections = await countConnectionsDuring(database, drained(database));
  const used = await reading.end({ deliveries: attempts, senderCpuMicros: (cpuOf(workers) - cpuBefore) * 1e6 });
  kill(workers, 'SIGSTOP');

  const { succeeded, seconds } = await backlog.finished();
  if (succeeded !== attempts) {
    throw new Error(`Only ${succeeded} of ${attempts} attempts succeeded.`);
  }
  await clearOwnLog(database);
  return { ...used, perSecond: attempts / seconds, peakMemoryMiB: Math.max(...workers.map(({ pid }) => peakMemoryMiB(pid))), connections };
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
