import { setTimeout as wait } from 'node:timers/promises';
import type { TestApplication } from '@postrider/testkit/factories';
import { eventually } from '@postrider/testkit/eventually';
import { startWorker } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { startBenchServer } from '../bench-database.ts';
import { stopProcess, withCleanUp } from '../clean-up.ts';
import type { SeedOwner } from '../growth/seed.ts';
import { renderResultTable, type ResultColumn, type ResultTable, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { quantileOf } from '../statistics.ts';
import { addHealthy, addTroubled, committedAt, forgetTrouble, ingestSteadily, type StageOptions } from './stage.ts';
import { type MoodyReceiver, startMoodyReceiver } from './start-moody-receiver.ts';

export interface IsolationBenchOptions extends StageOptions {
  readonly perSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly drainSeconds: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

const slots = 100;
/** Of one subscription: a quarter of the slots. */
const cap = slots / 4;

const latencyColumns: readonly ResultColumn[] = [
  { name: 'p50 ms', digits: 1 },
  { name: 'p99 ms', digits: 1, isPlotted: true },
  { name: 'longest ms', digits: 0 },
  { name: 'events/s', digits: 0 },
];
const ratioColumns: readonly ResultColumn[] = [{ name: 'p99 with / p99 without', digits: 2, target: { atMost: 2 } }];
const drainColumns: readonly ResultColumn[] = [
  { name: 'most in flight to one', digits: 0, target: { atMost: cap } },
  { name: 'requests/s', digits: 0 },
  { name: 'subscriptions that got some', digits: 0 },
];

/** An installation that is measured: those that do well, and those that do not. */
interface Stage {
  readonly database: TestDatabase;
  readonly healthy: readonly TestApplication[];
  readonly hanging: readonly SeedOwner[];
}

/** Whether receivers that hang and a backlog of a million make others wait, and what happens when they recover. */
export async function benchIsolation(options: IsolationBenchOptions): Promise<void> {
  await withCleanUp(async (defer) => {
    const server = await startBenchServer({ track_commit_timestamp: 'on' });
    defer(() => server.stop());
    const receiver = await startMoodyReceiver();
    defer(() => receiver.stop());
    const environment = environmentOf(server.version);
    options.print(`${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; ${options.rounds} pairs`);

    const without = await setStage(await server.createDatabase(), receiver, options, false);
    defer(() => without.database.drop());
    const troubled = await setStage(await server.createDatabase(), receiver, options, true);
    defer(() => troubled.database.drop());
    const rounds: { without: Round; troubled: Round }[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      rounds.push({ without: await measure(without, receiver, options), troubled: await measure(troubled, receiver, options) });
      options.print(`pair ${round + 1}: ${JSON.stringify(rounds.at(-1))}`);
    }
    const drained = await measureDrain(troubled, receiver, options);
    const tables = tablesOf(options, rounds, drained);
    tables.forEach((table) => options.print(`\n${renderResultTable(table)}`));
    saveResults('isolation', environment, { tables });
  });
}

async function setStage(database: TestDatabase, receiver: MoodyReceiver, options: StageOptions, isTroubled: boolean): Promise<Stage> {
  const count = isTroubled ? options.healthy : options.healthy + options.hanging + 1;
  const healthy = await addHealthy(database, receiver.url, count);
  return { database, healthy, hanging: isTroubled ? await addTroubled(database, receiver.url, options) : [] };
}

/** A worker that starts with all trouble ahead of it, and the events of those that do well. */
function measure(stage: Stage, receiver: MoodyReceiver, options: IsolationBenchOptions): Promise<Round> {
  return withCleanUp(async (defer) => {
    await forgetTrouble(stage.database, stage.hanging);
    const worker = await startWorker({ databaseUrl: stage.database.runtimeUrl, args: [`--concurrent=${slots}`] });
    defer(async () => {
      worker.kill('SIGKILL');
      await worker.waitForExit();
    });
    return measureEvents(stage, receiver, options);
  });
}

async function measureEvents(stage: Stage, receiver: MoodyReceiver, options: IsolationBenchOptions): Promise<Round> {
  const { database, healthy } = stage;
  await ingestSteadily(database, healthy, { perSecond: options.perSecond, seconds: options.warmUpSeconds });
  await receiver.forget();
  const since = new Date();
  const startedAt = performance.now();
  const ids = await ingestSteadily(database, healthy, options);
  const seconds = (performance.now() - startedAt) / 1000;
  const arrived = await eventually(
    async () => {
      const { arrivals } = await receiver.seen();
      const times = new Map(arrivals.toReversed().filter(([id]) => ids.has(id)));
      return times.size === ids.size && times;
    },
    { timeoutMs: 120_000, intervalMs: 500 },
  );
  const committed = await committedAt(database, healthy, since);
  const latencies = [...ids].map((id) => (arrived.get(id) ?? Number.NaN) - (committed.get(id) ?? Number.NaN));
  return {
    'p50 ms': quantileOf(latencies, 0.5),
    'p99 ms': quantileOf(latencies, 0.99),
    'longest ms': Math.max(...latencies),
    'events/s': ids.size / seconds,
  };
}

/** Those in trouble recover under the worker: how fast their backlog goes, and how much of it at once. */
function measureDrain(stage: Stage, receiver: MoodyReceiver, options: IsolationBenchOptions): Promise<{ hang: Round; slow: Round }> {
  return withCleanUp(async (defer) => {
    await forgetTrouble(stage.database, stage.hanging);
    const worker = await startWorker({ databaseUrl: stage.database.runtimeUrl, args: [`--concurrent=${slots}`] });
    defer(() => stopProcess(worker));
    await ingestSteadily(stage.database, stage.healthy, { perSecond: options.perSecond, seconds: options.warmUpSeconds });
    await receiver.recover();
    await receiver.forget();
    await wait(options.drainSeconds * 1000);
    const { paths } = await receiver.seen();
    const roundOf = (prefix: string): Round => {
      const seen = Object.entries(paths).flatMap(([path, counted]) => (path.startsWith(prefix) ? [counted] : []));
      return {
        'most in flight to one': Math.max(...seen.map(({ inFlightMax }) => inFlightMax)),
        'requests/s': seen.reduce((sum, { requests }) => sum + requests, 0) / options.drainSeconds,
        'subscriptions that got some': seen.filter(({ requests }) => requests > 0).length,
      };
    };
    return { hang: roundOf('/hang/'), slow: roundOf('/slow/') };
  });
}

function tablesOf(
  options: IsolationBenchOptions,
  rounds: readonly { readonly without: Round; readonly troubled: Round }[],
  drained: { readonly hang: Round; readonly slow: Round },
): ResultTable[] {
  const { healthy, hanging, slowBacklog, hangingBacklog, perSecond, seconds, warmUpSeconds, drainSeconds } = options;
  return [
    {
      title: 'Beside receivers in trouble',
      note:
        `${perSecond} events a second of 1 KiB for ${seconds} s, spread over ${healthy} subscriptions that answer at once; one worker process of ${slots} slots. ` +
        `In trouble: ${hanging} subscriptions that never answer, each with ${hangingBacklog} open attempts, and one that answers in a second and has ` +
        `${slowBacklog.toLocaleString('en-US')}. Before each round the worker starts anew, and knows nothing of those that hang; ${warmUpSeconds} s later it is ` +
        "measured, from the commit's own timestamp to the request in the receiver. Events go in by the API's statement, in groups, without the API: it would take the processors.",
      columns: latencyColumns,
      rows: [
        rowOf(
          latencyColumns,
          'without them',
          rounds.map(({ without }) => without),
          { isReference: true },
        ),
        rowOf(
          latencyColumns,
          'with them',
          rounds.map(({ troubled }) => troubled),
        ),
      ],
    },
    {
      title: 'What they cost the others',
      note: 'Of pairs of rounds, one after the other.',
      columns: ratioColumns,
      rows: [rowOf(ratioColumns, 'with and without', rounds.map(ratioOf))],
    },
    {
      title: 'Once they recover',
      note: `All answer within 50 ms from one moment on; counted by their receiver for the ${drainSeconds} s after it. One subscription may have ${cap} requests in flight.`,
      columns: drainColumns,
      rows: [rowOf(drainColumns, 'those that hung', [drained.hang]), rowOf(drainColumns, 'the one with the long backlog', [drained.slow])],
    },
  ];
}

function ratioOf({ without, troubled }: { readonly without: Round; readonly troubled: Round }): Round {
  return { 'p99 with / p99 without': (troubled['p99 ms'] ?? Number.NaN) / (without['p99 ms'] ?? Number.NaN) };
}
