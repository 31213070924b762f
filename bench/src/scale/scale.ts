import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '@postrider/testkit/eventually';
import {
  insertApplication,
  insertBacklog,
  insertSubscription,
  type TestApplication,
  type TestSubscription,
} from '@postrider/testkit/factories';
import { slotsForOneSubscription, startWorker } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { stopProcess, withCleanUp } from '../clean-up.ts';
import { treeCpuSeconds } from '../cpu-time.ts';
import { readGroupSizes, rowsPerStatement } from '../load/group-sizes.ts';
import { renderResultTable, type ResultColumn, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { type Sink, startSink } from '../sink.ts';

export interface ScaleBenchOptions {
  readonly workers: readonly number[];
  readonly attempts: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

const slots = 20;
/** Deliveries before the measured ones, for each worker. */
const warmUpPerWorker = 30_000;
/** The same after a standstill: what V8 has compiled does not outlive the first one, when connections end and are made anew. */
const secondWarmUpPerWorker = 10_000;
/** What inserting an attempt, vacuuming and a checkpoint take at most, so that all of it is over when the attempts come due. */
const setUpMs = 2500;
const setUpMsPerAttempt = 0.1;
/** What idle workers ask meanwhile is not what a drain costs. */
const beforeDueMs = 100;

const columns: readonly ResultColumn[] = [
  { name: 'deliveries/s', digits: 0, isPlotted: true },
  { name: 'of the best', digits: 2, target: { atLeast: 0.7 } },
  { name: 'database CPU s per 1,000', digits: 3, isPlotted: true },
  { name: 'of one worker', digits: 2, target: { atMost: 2 } },
  { name: 'rows per claim', digits: 0 },
  { name: 'rows per record', digits: 0 },
  { name: 'share of the busiest worker', digits: 2 },
];

interface Drained {
  readonly perSecond: number;
  readonly databaseCpu: number;
  readonly busiestShare: number;
  readonly claimRows: number;
  readonly recordRows: number;
}

/** The same backlog drained by more and more worker processes: they must not get into each other's way. */
export async function benchScale(options: ScaleBenchOptions): Promise<void> {
  await withCleanUp(async (defer) => {
    const server = await startBenchServer();
    defer(() => server.stop());
    const sink = await startSink();
    defer(() => sink.stop());
    const environment = environmentOf(server.version);
    options.print(
      `${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; receiver: ${sink.kind}; ${options.rounds} rounds`,
    );
    const rounds = new Map<number, Round[]>(options.workers.map((count) => [count, []]));
    for (let round = 0; round < options.rounds; round += 1) {
      const drains = new Map<number, Drained>();
      for (const count of options.workers) {
        drains.set(count, await measure(server, sink, count, options.attempts));
      }
      const best = Math.max(...[...drains.values()].map(({ perSecond }) => perSecond));
      const alone = [...drains.values()][0]?.databaseCpu ?? Number.NaN;
      for (const [count, { perSecond, databaseCpu, busiestShare, claimRows, recordRows }] of drains) {
        rounds.get(count)?.push({
          'deliveries/s': perSecond,
          'of the best': perSecond / best,
          'database CPU s per 1,000': databaseCpu,
          'of one worker': databaseCpu / alone,
          'rows per claim': claimRows,
          'rows per record': recordRows,
          'share of the busiest worker': busiestShare,
        });
      }
    }
    const table = {
      title: 'More workers on one queue',
      note:
        `A backlog of ${options.attempts} attempts of 1 KiB, workers of ${slots} slots. Rates are those of the middle 80 % of the backlog; ` +
        'the CPU of the database is that of the whole drain, per 1,000 attempts.',
      columns,
      rows: [...rounds].map(([count, values]) => rowOf(columns, count === 1 ? '1 worker' : `${count} workers`, values)),
    };
    options.print(`\n${renderResultTable(table)}`);
    saveResults('scale', environment, { tables: [table] });
  });
}

function measure(server: BenchServer, sink: Sink, workers: number, attempts: number): Promise<Drained> {
  return withCleanUp(async (defer) => {
    const database = await server.createDatabase();
    defer(() => database.drop());
    const application = await insertApplication(database.admin);
    const warmUp = await insertSubscription(database.admin, application, { url: sink.url });
    const measured = await insertSubscription(database.admin, application, { url: sink.url });
    await insertBacklog(database.admin, application, warmUp, { count: warmUpPerWorker * workers });
    const running = await Promise.all(
      Array.from({ length: workers }, () => startWorker({ databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(slots) })),
    );
    defer(() => Promise.all(running.map(stopProcess)));
    await drained(database);
    // What V8 has compiled for connections that go out does not do for the first one that comes in; later it does for both.
    await readGroupSizes(running, 'postrider_worker_claim_rows');
    await insertAhead(database, application, warmUp, secondWarmUpPerWorker * workers);
    await drained(database);

    await insertAhead(database, application, measured, attempts);
    const claimsBefore = await readGroupSizes(running, 'postrider_worker_claim_rows');
    const recordsBefore = await readGroupSizes(running, 'postrider_worker_record_rows');
    const cpuBefore = treeCpuSeconds(server.pid);
    await drained(database);
    // The last outcomes are recorded a moment after the queue is empty of what may be claimed.
    await wait(200);
    const databaseCpu = ((treeCpuSeconds(server.pid) - cpuBefore) / attempts) * 1000;
    const claimRows = rowsPerStatement(claimsBefore, await readGroupSizes(running, 'postrider_worker_claim_rows'));
    const recordRows = rowsPerStatement(recordsBefore, await readGroupSizes(running, 'postrider_worker_record_rows'));
    return { databaseCpu, claimRows, recordRows, ...(await readRate(database, measured, attempts)) };
  });
}

/** Attempts that come due when the database has come to rest; resolves just before they do. */
async function insertAhead(
  database: TestDatabase,
  application: TestApplication,
  subscription: TestSubscription,
  count: number,
): Promise<void> {
  const dueInMs = Math.round(setUpMs + count * setUpMsPerAttempt);
  const dueAt = performance.now() + dueInMs;
  await insertBacklog(database.admin, application, subscription, { count, dueInMs });
  await database.admin.query({ text: 'vacuum analyze webhook.open_attempt' });
  await database.admin.query({ text: 'checkpoint' });
  if (performance.now() > dueAt) {
    throw new Error('The attempts came due before the database had come to rest: the machine is too busy to measure.');
  }
  await wait(Math.max(0, dueAt - performance.now() - beforeDueMs));
}

async function drained(database: TestDatabase): Promise<void> {
  const isEmpty = async (): Promise<boolean> => {
    const { rowCount } = await database.admin.query({ text: 'select from webhook.open_attempt limit 1' });
    return rowCount === 0;
  };
  await eventually(isEmpty, { timeoutMs: 600_000, intervalMs: 200 });
}

async function readRate(
  database: TestDatabase,
  { subscriptionId }: TestSubscription,
  attempts: number,
): Promise<Pick<Drained, 'perSecond' | 'busiestShare'>> {
  const { rows } = await database.admin.query<{ seconds: number; succeeded: number; busiest: number }>({
    text: `select extract(epoch from percentile_disc(0.9) within group (order by finished_at)
                                  - percentile_disc(0.1) within group (order by finished_at))::double precision as seconds,
                  count(succeeded_at)::integer as succeeded,
                  (select max(count)::integer from (
                     select count(*) from webhook.finished_attempt where subscription_id = $1 group by worker_process_id
                   ) w) as busiest
           from webhook.finished_attempt where subscription_id = $1`,
    values: [subscriptionId],
  });
  const [row] = rows;
  if (row?.succeeded !== attempts) {
    throw new Error(`Only ${row?.succeeded} of ${attempts} attempts succeeded.`);
  }
  return { perSecond: (attempts * 0.8) / row.seconds, busiestShare: row.busiest / attempts };
}
