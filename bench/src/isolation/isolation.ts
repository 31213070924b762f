import { setTimeout as wait } from 'node:timers/promises';
import type { TestApplication } from '@postrider/testkit/factories';
import { eventually } from '@postrider/testkit/eventually';
import { startApi, startWorker } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { startBenchServer } from '../bench-database.ts';
import { type Defer, withCleanUp } from '../clean-up.ts';
import type { SeedOwner } from '../growth/seed.ts';
import { renderResultTable, type ResultColumn, type ResultRow, type ResultTable, type Round, rowOf } from '../result-table.ts';
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

/** The first seconds of a worker, and those that count. */
interface MeasuredRound {
  readonly starting: Round;
  readonly steady: Round;
}

interface Pair {
  readonly without: MeasuredRound;
  readonly troubled: MeasuredRound;
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
    const rounds: Pair[] = [];
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
function measure(stage: Stage, receiver: MoodyReceiver, options: IsolationBenchOptions): Promise<MeasuredRound> {
  return withCleanUp(async (defer) => {
    await startProcesses(stage, defer);
    return measureEvents(stage, receiver, options);
  });
}

/** One worker, and one API, whose sweep moves the attempts of subscriptions that are parked. */
async function startProcesses({ database, hanging }: Stage, defer: Defer): Promise<void> {
  const databaseUrl = database.runtimeUrl;
  await forgetTrouble(database, hanging);
  const started = [
    await startApi({ databaseUrl, env: { AUTO_DB_MIGRATION: 'false' } }),
    await startWorker({ databaseUrl, args: [`--concurrent=${slots}`] }),
  ];
  defer(async () => {
    // In order it would wait for those that hang.
    started.forEach((managed) => managed.kill('SIGKILL'));
    await Promise.all(started.map((managed) => managed.waitForExit()));
  });
}

async function measureEvents(
  { database, healthy }: Stage,
  receiver: MoodyReceiver,
  options: IsolationBenchOptions,
): Promise<MeasuredRound> {
  const { perSecond, seconds, warmUpSeconds } = options;
  await receiver.forget();
  const since = new Date();
  const first = await ingestSteadily(database, healthy, { perSecond, seconds: warmUpSeconds });
  const then = await ingestSteadily(database, healthy, { perSecond, seconds });
  const total = first.size + then.size;
  const arrived = await eventually(
    async () => {
      const times = new Map((await receiver.seen()).arrivals.toReversed().filter(([id]) => first.has(id) || then.has(id)));
      return times.size === total && times;
    },
    { timeoutMs: 120_000, intervalMs: 500 },
  );
  const committed = await committedAt(database, healthy, since);
  const roundOf = (ids: ReadonlySet<string>, overSeconds: number): Round => {
    const latencies = [...ids].map((id) => (arrived.get(id) ?? Number.NaN) - (committed.get(id) ?? Number.NaN));
    return {
      'p50 ms': quantileOf(latencies, 0.5),
      'p99 ms': quantileOf(latencies, 0.99),
      'longest ms': Math.max(...latencies),
      'events/s': ids.size / overSeconds,
    };
  };
  return { starting: roundOf(first, warmUpSeconds), steady: roundOf(then, seconds) };
}

/** Those in trouble recover under the worker: how fast their backlog goes, and how much of it at once. */
function measureDrain(stage: Stage, receiver: MoodyReceiver, options: IsolationBenchOptions): Promise<{ hang: Round; slow: Round }> {
  return withCleanUp(async (defer) => {
    await startProcesses(stage, defer);
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
  rounds: readonly Pair[],
  drained: { readonly hang: Round; readonly slow: Round },
): ResultTable[] {
  const { healthy, hanging, slowBacklog, hangingBacklog, perSecond, seconds, warmUpSeconds, drainSeconds } = options;
  return [
    {
      title: 'Beside receivers in trouble',
      note:
        `${perSecond} events a second of 1 KiB for ${seconds} s, spread over ${healthy} subscriptions that answer at once; one API and one worker of ${slots} slots. ` +
        `In trouble: ${hanging} subscriptions that never answer, each with ${hangingBacklog} open attempts, and one that answers in a second and has ` +
        `${slowBacklog.toLocaleString('en-US')}, which are parked. Before each round the worker starts anew, and knows nothing of those that hang; ${warmUpSeconds} s later it is ` +
        "measured, from the commit's own timestamp to the request in the receiver. Events go in by the API's statement, in groups, without the API: it would take the processors.",
      columns: latencyColumns,
      rows: [
        latencyRow('without them', ({ without }) => without.steady, rounds),
        latencyRow('with them', ({ troubled }) => troubled.steady, rounds),
        latencyRow(`without them, the first ${warmUpSeconds} s of the worker`, ({ without }) => without.starting, rounds),
        latencyRow(`with them, the first ${warmUpSeconds} s of the worker`, ({ troubled }) => troubled.starting, rounds),
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

function latencyRow(name: string, roundOf: (pair: Pair) => Round, pairs: readonly Pair[]): ResultRow {
  return rowOf(latencyColumns, name, pairs.map(roundOf), { isReference: name !== 'with them' });
}

function ratioOf({ without, troubled }: Pair): Round {
  return { 'p99 with / p99 without': (troubled.steady['p99 ms'] ?? Number.NaN) / (without.steady['p99 ms'] ?? Number.NaN) };
}
