import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess } from '@postrider/testkit/child-process';
import { eventually } from '@postrider/testkit/eventually';
import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { startWorker } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { peakMemoryMiB, processCpuSeconds, treeCpuSeconds } from '../cpu-time.ts';
import { environmentOf, saveResults } from '../results.ts';
import { type Sink, startSink } from '../sink.ts';
import { formatSpread, renderTable, spreadOf } from '../statistics.ts';

export interface DeliveryBenchOptions {
  readonly attempts: number;
  readonly concurrencies: readonly number[];
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** One way to deliver, measured once. */
interface Measurement {
  readonly perSecond: number;
  /** CPU seconds per 1,000 deliveries. */
  readonly senderCpu: number;
  readonly databaseCpu: number | null;
  readonly memoryMiB: number | null;
}

type Contender = 'bare' | 'worker' | 'lean' | 'rowByRow';
type Results = Record<Contender, Measurement[]>;

/** Row by row is slow: a part of the attempts is enough to know how slow. */
const rowByRowShare = 10;
/** Deliveries before the measured ones, a part of them: compiled code and full caches are what runs for days. */
const warmUpShare = 5;
const gapMs = 200;
/** What inserting an attempt, vacuuming and a checkpoint take at most, so that all of it is over when the attempts come due. */
const setUpMs = 4000;
const setUpMsPerAttempt = 0.1;

/**
 * Drains a backlog with one worker process, side by side in the same run with bare undici sending the same signed requests and with the
 * row-by-row algorithm. Rounds are interleaved, so that the noise of a shared machine meets all of them; every process is warmed up first.
 */
export async function benchDelivery(options: DeliveryBenchOptions): Promise<void> {
  const server = await startBenchServer();
  const sink = await startSink();
  const environment = environmentOf(server.version);
  options.print(
    `${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; receiver: ${sink.kind}; ` +
      `${options.attempts} attempts of 1 KiB, ${options.rounds} rounds`,
  );
  const all: Record<string, Results> = {};
  try {
    for (const concurrent of options.concurrencies) {
      const results = await measureAll(server, sink, concurrent, options);
      options.print(`\n### ${concurrent} concurrent\n\n${table(results)}`);
      all[`${concurrent} concurrent`] = results;
    }
    saveResults('delivery', environment, all);
  } finally {
    await sink.stop();
    await server.stop();
  }
}

async function measureAll(server: BenchServer, sink: Sink, concurrent: number, options: DeliveryBenchOptions): Promise<Results> {
  const results: Results = { bare: [], worker: [], lean: [], rowByRow: [] };
  const { attempts } = options;
  for (let round = 0; round < options.rounds; round += 1) {
    results.bare.push(await measureBare(sink, concurrent, attempts));
    results.worker.push(await measureWorker(server, sink, { concurrent, attempts, nodeFlags: [] }));
    results.lean.push(await measureWorker(server, sink, { concurrent, attempts }));
    results.rowByRow.push(await measureRowByRow(server, sink, concurrent, Math.ceil(attempts / rowByRowShare)));
  }
  return results;
}

function table(results: Results): string {
  const row = (name: string, measurements: readonly Measurement[]): string[] => [
    name,
    formatSpread(
      measurements.map(({ perSecond }) => perSecond),
      0,
    ),
    ratio(measurements, results.bare),
    ratio(measurements, results.rowByRow),
    formatSpread(
      measurements.map(({ senderCpu }) => senderCpu),
      3,
    ),
    numbers(measurements.map(({ databaseCpu }) => databaseCpu)),
    memory(measurements),
  ];
  return renderTable(
    ['what', 'deliveries/s', 'of bare undici', 'of row by row', 'sender CPU s per 1,000', 'database CPU s per 1,000', 'peak RSS'],
    [
      row('bare undici', results.bare),
      row('Postrider worker', results.worker),
      row('Postrider worker, small heap', results.lean),
      row('row by row', results.rowByRow),
    ],
  );
}

function ratio(a: readonly Measurement[], b: readonly Measurement[]): string {
  return formatSpread(
    a.map(({ perSecond }, round) => perSecond / (b[round]?.perSecond ?? Number.NaN)),
    2,
  );
}

function numbers(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? '' : formatSpread(known, 3);
}

function memory(measurements: readonly Measurement[]): string {
  const known = measurements.map(({ memoryMiB }) => memoryMiB).filter((value) => value !== null);
  return known.length === 0 ? '' : `${spreadOf(known).max.toFixed(0)} MiB`;
}

async function measureBare(sink: Sink, concurrent: number, requests: number): Promise<Measurement> {
  const line = await runChild('bare-sender', [sink.url, String(concurrent), String(requests), String(requests / warmUpShare)]);
  return { perSecond: Number(line['perSecond']), senderCpu: Number(line['cpuPerThousand']), databaseCpu: null, memoryMiB: null };
}

async function measureRowByRow(server: BenchServer, sink: Sink, concurrent: number, deliveries: number): Promise<Measurement> {
  const database = await server.createDatabase();
  const backlog = await givenBacklog(database, sink, deliveries);
  await backlog.insert(0);
  const cpuBefore = treeCpuSeconds(server.pid);
  const line = await runChild('row-by-row', [database.runtimeUrl, sink.url, String(concurrent), String(deliveries)]);
  // The backends of the child end a moment after it, and count only then.
  await wait(500);
  const databaseCpu = ((treeCpuSeconds(server.pid) - cpuBefore) / deliveries) * 1000;
  await database.drop();
  return { perSecond: Number(line['perSecond']), senderCpu: Number(line['cpuPerThousand']), databaseCpu, memoryMiB: null };
}

interface WorkerRun {
  readonly concurrent: number;
  readonly attempts: number;
  /** Of Node; those that keep the heap small otherwise. */
  readonly nodeFlags?: readonly string[];
}

async function measureWorker(server: BenchServer, sink: Sink, { concurrent, attempts, nodeFlags }: WorkerRun): Promise<Measurement> {
  const database = await server.createDatabase();
  const warmUp = await givenBacklog(database, sink, attempts / warmUpShare);
  await warmUp.insert(0);
  const worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    args: [`--concurrent=${concurrent}`],
    ...(nodeFlags ? { nodeFlags } : {}),
  });
  await drained(database);

  const backlog = await givenBacklog(database, sink, attempts);
  await backlog.insert(setUpMs + attempts * setUpMsPerAttempt);
  const databaseCpuBefore = treeCpuSeconds(server.pid);
  const senderCpuBefore = processCpuSeconds(worker.pid);
  await drained(database);
  const databaseCpu = ((treeCpuSeconds(server.pid) - databaseCpuBefore) / attempts) * 1000;
  const senderCpu = ((processCpuSeconds(worker.pid) - senderCpuBefore) / attempts) * 1000;
  const memoryMiB = peakMemoryMiB(worker.pid);
  worker.kill('SIGTERM');
  await worker.waitForExit();

  const { rows } = await database.admin.query<{ seconds: number; succeeded: number }>({
    text: `select extract(epoch from max(finished_at) - min(picked_at))::double precision as seconds, count(succeeded_at)::integer as succeeded
           from webhook.finished_attempt where subscription_id = $1`,
    values: [backlog.subscriptionId],
  });
  await database.drop();
  const [row] = rows;
  if (row?.succeeded !== attempts) {
    throw new Error(`Only ${row?.succeeded} of ${attempts} attempts succeeded.`);
  }
  return { perSecond: attempts / row.seconds, senderCpu, databaseCpu, memoryMiB };
}

/** A subscription of its own for a backlog that `insert` makes, due after some milliseconds, by when the database has come to rest. */
async function givenBacklog(database: TestDatabase, sink: Sink, count: number) {
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application, { url: sink.url });
  return {
    subscriptionId: subscription.subscriptionId,
    async insert(dueInMs: number): Promise<void> {
      const dueAt = performance.now() + dueInMs;
      await insertBacklog(database.admin, application, subscription, { count, dueInMs: Math.round(dueInMs) });
      await database.admin.query({ text: 'vacuum analyze' });
      await database.admin.query({ text: 'checkpoint' });
      if (dueInMs > 0 && performance.now() > dueAt) {
        throw new Error('The attempts came due before the database had come to rest: the machine is too busy to measure.');
      }
    },
  };
}

async function drained(database: TestDatabase): Promise<void> {
  await eventually(async () => (await countOpen(database)) === 0, { timeoutMs: 600_000, intervalMs: gapMs });
}

async function countOpen(database: TestDatabase): Promise<number> {
  // Cheap while the queue is long: the claim's own index tells whether there is a row at all.
  const { rowCount } = await database.admin.query({ text: 'select from webhook.open_attempt limit 1' });
  return rowCount ?? 0;
}

async function runChild(name: string, args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const main = fileURLToPath(new URL(`../../dist/delivery/${name}.js`, import.meta.url));
  const child = startProcess({ command: process.execPath, args: [main, ...args] });
  const line = await child.waitForLog((logged) => String(logged['event']).endsWith('.finished'), 600_000);
  await child.waitForExit();
  return line;
}
