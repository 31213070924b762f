import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { Agent } from 'undici';
import { type BenchServer, emptyQueue, startBenchServer } from '../bench-database.ts';
import { type CalmKind, describeSorted, measureUntilCalm, sortOut } from '../calm/calm-rounds.ts';
import { type Disturbance, watched } from '../calm/machine-watch.ts';
import { processCpuSeconds, treeCpuSeconds } from '../cpu-time.ts';
import { largeApiHeap } from '../large-api-heap.ts';
import { renderResultTable, type ResultColumn, type ResultTable, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { quantileOf } from '../statistics.ts';
import { type Count, sendArrays, sendLines, sendSingles } from './senders.ts';

export interface BatchesBenchOptions {
  readonly seconds: number;
  readonly rounds: number;
  /** Requests at a time where each has one event. */
  readonly clients: number;
  /** Another checkout of this repository, built, whose API is measured beside. */
  readonly against: string | null;
  readonly print: (line: string) => void;
}

/** One way in, of one API. */
interface Contender {
  readonly name: string;
  readonly api: ApiProcess;
  readonly database: TestDatabase;
  readonly send: (count: Count) => Promise<void>;
}

interface Measurement {
  readonly perSecond: number;
  /** CPU milliseconds per 1,000 events. */
  readonly apiCpu: number;
  readonly databaseCpu: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly disturbance: Disturbance;
}

/** The measurements of all contenders by their names. */
type MeasuredRound = Readonly<Record<string, Measurement>>;

const columns: readonly ResultColumn[] = [
  { name: 'events/s', digits: 0, target: { atLeast: 20_000 }, isPlotted: true },
  { name: 'API CPU', digits: 0 },
  { name: 'database CPU', digits: 0 },
  { name: 'p50 ms', digits: 1 },
  { name: 'p99 ms', digits: 1 },
  { name: 'stolen, %', digits: 0 },
];
/** How much more often than asked it is measured at most. */
const triesFactor = 2;
const warmUpMs = 3000;
const gapMs = 500;

/**
 * Events in over HTTP: one by one, in arrays, as lines; each with one matching subscription. Rounds are interleaved, so that the noise of a
 * shared machine meets all of them, and those in which others disturbed it are measured once more; every way is warmed up first.
 */
export async function benchBatches(options: BatchesBenchOptions): Promise<void> {
  const server = await startBenchServer();
  const agent = new Agent({ allowH2: false, connections: options.clients, pipelining: 1 });
  const environment = environmentOf(server.version);
  const own = await serve(server, 'this');
  const other = options.against === null ? [] : [await serve(server, 'other', `${options.against}/packages/api/dist/main.js`)];
  const served = [own, ...other];
  const contenders = served.flatMap((each) => waysInto(each, agent, options));
  options.print(`${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; ${options.rounds} rounds`);
  try {
    await server.recycleLog();
    for (const contender of contenders) {
      await measure(contender, server, warmUpMs);
    }
    const measureRound = async (round: number): Promise<MeasuredRound> => {
      await server.checkpoint();
      const measured: Record<string, Measurement> = {};
      // The first of a round finds the disk and the caches as nobody else does.
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        await wait(gapMs);
        measured[contender.name] = await measure(contender, server, options.seconds * 1000);
      }
      return measured;
    };
    const names = contenders.map(({ name }) => name);
    const counts = { wanted: options.rounds, atMost: triesFactor * options.rounds };
    const rounds = await measureUntilCalm(counts, names.map(kindOf), measureRound);
    const table = tableOf(rounds, names, options);
    options.print(renderResultTable(table));
    saveResults('batches', environment, { tables: [table], rounds });
  } finally {
    await agent.close();
    for (const { api, database } of served) {
      api.kill('SIGTERM');
      await api.waitForExit();
      await database.drop();
    }
    await server.stop();
  }
}

interface Served {
  readonly name: string;
  readonly api: ApiProcess;
  readonly database: TestDatabase;
  readonly setup: ApplicationSetup;
}

/** `main` is that of another checkout's API. */
async function serve(server: BenchServer, name: string, main?: string): Promise<Served> {
  const database = await server.createDatabase();
  const env = { AUTO_DB_MIGRATION: 'false' };
  const api = await startApi({ databaseUrl: database.runtimeUrl, env, nodeFlags: largeApiHeap, ...(main !== undefined && { main }) });
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, 'https://example.com/');
  return { name, api, database, setup };
}

function waysInto({ name, api, database, setup }: Served, agent: Agent, { clients }: BatchesBenchOptions): Contender[] {
  const target = {
    url: api.url,
    secret: setup.secret,
    agent,
    event: eventOf(setup, { payload: JSON.stringify({ text: 'x'.repeat(1000) }) }),
  };
  const single = {
    name: `${name}: one by one, ${clients} at a time`,
    api,
    database,
    send: (count: Count) => sendSingles(target, clients, count),
  };
  return name === 'this'
    ? [
        single,
        {
          name: `${name}: arrays of 200, 8 at a time`,
          api,
          database,
          send: (count) => sendArrays(target, { arrays: 8, events: 200 }, count),
        },
        { name: `${name}: one stream of lines`, api, database, send: (count) => sendLines(target, count) },
      ]
    : [single];
}

async function measure({ api, database, send }: Contender, server: BenchServer, durationMs: number): Promise<Measurement> {
  await emptyQueue(database);
  const cpuBefore = [processCpuSeconds(api.pid), treeCpuSeconds(server.pid)] as const;
  const startedAt = performance.now();
  const latenciesMs: number[] = [];
  let events = 0;
  const { disturbance } = await watched(server.directory, () =>
    send({
      isOver: () => performance.now() - startedAt >= durationMs,
      answered(count, latencyMs) {
        events += count;
        latenciesMs.push(latencyMs);
      },
    }),
  );
  const tookMs = performance.now() - startedAt;
  const perThousand = (seconds: number): number => (seconds * 1000 * 1000) / events;
  return {
    perSecond: (events / tookMs) * 1000,
    apiCpu: perThousand(processCpuSeconds(api.pid) - cpuBefore[0]),
    databaseCpu: perThousand(treeCpuSeconds(server.pid) - cpuBefore[1]),
    p50Ms: quantileOf(latenciesMs, 0.5),
    p99Ms: quantileOf(latenciesMs, 0.99),
    disturbance,
  };
}

function kindOf(name: string): CalmKind<MeasuredRound> {
  return { disturbanceOf: (round) => measurementOf(name, round).disturbance };
}

function measurementOf(name: string, round: MeasuredRound): Measurement {
  const measurement = round[name];
  if (!measurement) {
    throw new Error(`A round has no measurement of ${name}.`);
  }
  return measurement;
}

function tableOf(rounds: readonly MeasuredRound[], names: readonly string[], options: BatchesBenchOptions): ResultTable {
  const ways = names.map((name) => ({ name, sorted: sortOut(rounds, options.rounds, kindOf(name)) }));
  return {
    title: 'Ways in',
    note:
      `Events of 1 KiB with one matching subscription, ${options.seconds} s; the API with \`${largeApiHeap.join(' ')}\`. CPU in microseconds per ` +
      `event; latencies are those of requests, of lines in a stream.\n\n${ways
        .map(({ name, sorted }) => `- ${name}: ${describeSorted(sorted, kindOf(name))}`)
        .join('\n')}`,
    columns,
    rows: ways.map(({ name, sorted }) => {
      const values = sorted.counting.map((round) => valuesOf(measurementOf(name, round)));
      return rowOf(columns, name, values, { isReference: !name.includes('arrays') });
    }),
  };
}

function valuesOf({ perSecond, apiCpu, databaseCpu, p50Ms, p99Ms, disturbance }: Measurement): Round {
  return {
    'events/s': perSecond,
    'API CPU': apiCpu,
    'database CPU': databaseCpu,
    'p50 ms': p50Ms,
    'p99 ms': p99Ms,
    'stolen, %': disturbance.stolenShare * 100,
  };
}
