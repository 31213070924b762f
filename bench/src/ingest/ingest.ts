import { fileURLToPath } from 'node:url';
import { ApiClient, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { type ManagedProcess, startProcess } from '@postrider/testkit/child-process';
import { insertApplication, insertSubscription } from '@postrider/testkit/factories';
import { startApi } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { type BenchServer, emptyQueue, startBenchServer } from '../bench-database.ts';
import { type CalmKind, describeSorted, measureUntilCalm, type RoundCounts, sortOut, worstOf } from '../calm/calm-rounds.ts';
import { type Disturbance, watched } from '../calm/machine-watch.ts';
import { treeCpuSeconds } from '../cpu-time.ts';
import { largeApiHeap } from '../large-api-heap.ts';
import { renderResultTable, type ResultColumn, type ResultTable, type Round as Values, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { spreadOf } from '../statistics.ts';

export interface IngestBenchOptions {
  readonly seconds: number;
  readonly connections: number;
  /** Processes of the API. */
  readonly processes: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** What one run of the load told, with CPU in milliseconds per event. */
interface Measurement {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpu: number;
  readonly databaseCpu: number;
  readonly disturbance: Disturbance;
}

interface Round {
  readonly postrider: Measurement;
  readonly bare: Measurement;
  readonly single: Measurement;
}

/** Something that takes events, and an event for it. */
interface Target {
  readonly database: TestDatabase;
  readonly managed: ManagedProcess;
  readonly url: string;
  readonly token: string;
  readonly body: string;
}

interface Targets {
  readonly postrider: Target;
  readonly bare: Target;
  readonly single: Target;
}

const subscriptions = 3;
/** Of each server, once: until all of its code has been compiled. */
const firstWarmUpSeconds = 5;
/** Of each measurement: until its connections are open and the groups as large as they get. */
const warmUpSeconds = 1;
const labels = { tenant: 'acme' };
/** 1 KiB, as JSON in a text. */
const payload = JSON.stringify({ data: 'x'.repeat(1013) });
const cpuColumns: readonly ResultColumn[] = [
  { name: 'server CPU', digits: 0 },
  { name: 'database CPU', digits: 0 },
  { name: 'stolen, %', digits: 0 },
];
const rateColumns: readonly ResultColumn[] = [
  { name: 'events/s', digits: 0, isPlotted: true },
  { name: 'of bare', digits: 2, target: { atLeast: 0.8 } },
  { name: 'of single commits', digits: 2, target: { atLeast: 2 } },
  { name: 'p50 ms', digits: 1 },
  { name: 'p99 ms', digits: 1 },
  ...cpuColumns,
];
const latencyColumns: readonly ResultColumn[] = [
  { name: 'events/s', digits: 0 },
  { name: 'p50 ms', digits: 1 },
  { name: 'p99 ms', digits: 1, target: { atMost: 50 } },
  ...cpuColumns,
  { name: 'slowest small write, ms', digits: 0 },
];
const asFastAsAnswered: CalmKind<Round> = {
  disturbanceOf: ({ postrider, bare, single }) => worstOf([postrider, bare, single].map(({ disturbance }) => disturbance)),
};
/** No answer can come before what it promises is on the disk: where that stands still for longer than the target, the disk is measured. */
const atHalfRate: CalmKind<Measurement> = {
  writeMsMax: 50,
  disturbanceOf: ({ disturbance }) => disturbance,
};
/** How much more often than asked each is measured at most: a disk stands still more often than others take the processors. */
const triesFactors = { asFastAsAnswered: 1.5, atHalfRate: 3 };

/**
 * Ingests events of 1 KiB with three matching subscriptions, each contender on a database of its own. All of them run from the beginning to the
 * end, as servers do, and are measured in turns, so that the noise of a shared machine meets all of them. Rounds in which others disturbed the
 * machine are measured once more.
 */
export async function benchIngest(options: IngestBenchOptions): Promise<void> {
  const server = await startBenchServer();
  const environment = environmentOf(server.version);
  options.print(
    `${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; events of 1 KiB, ${subscriptions} subscriptions, ` +
      `${options.connections} connections, ${options.processes} process(es) of the API, ${options.rounds} x ${options.seconds} s`,
  );
  try {
    await server.recycleLog();
    const targets: Targets = {
      postrider: await startPostriderTarget(server, options.processes),
      bare: await startBareTarget(server, 'group'),
      single: await startBareTarget(server, 'single'),
    };
    const all: readonly Target[] = [targets.postrider, targets.bare, targets.single];
    for (const target of all) {
      await load(server, target, { connections: options.connections, seconds: firstWarmUpSeconds }, 0);
    }
    const { rounds, halves } = await measureAll(server, targets, options);
    for (const target of all) {
      await end(target);
    }
    const tables = tablesOf(rounds, halves, options);
    tables.forEach((table) => options.print(`\n${renderResultTable(table)}`));
    saveResults('ingest', environment, { tables, rounds, halves });
  } finally {
    await server.stop();
  }
}

async function measureAll(server: BenchServer, targets: Targets, options: IngestBenchOptions) {
  const wanted = options.rounds;
  const counts = (factor: number): RoundCounts => ({ wanted, atMost: Math.ceil(wanted * factor) });
  const rounds = await measureUntilCalm(counts(triesFactors.asFastAsAnswered), [asFastAsAnswered], async (round) => {
    await server.checkpoint();
    return measureRound(server, targets, options, round);
  });
  const { median } = spreadOf(sortOut(rounds, wanted, asFastAsAnswered).counting.map(({ postrider }) => postrider.perSecond));
  const halves = await measureUntilCalm(counts(triesFactors.atHalfRate), [atHalfRate], async () => {
    await server.checkpoint();
    return load(server, targets.postrider, options, median / 2);
  });
  return { rounds, halves };
}

/** The two that are compared stand side by side, and change places each time. */
async function measureRound(server: BenchServer, targets: Targets, options: IngestBenchOptions, round: number): Promise<Round> {
  const measured = (target: Target): Promise<Measurement> => load(server, target, options, 0);
  const bareFirst = round % 2 === 0 ? await measured(targets.bare) : null;
  const postrider = await measured(targets.postrider);
  const bare = bareFirst ?? (await measured(targets.bare));
  return { postrider, bare, single: await measured(targets.single) };
}

function tablesOf(rounds: readonly Round[], halves: readonly Measurement[], options: IngestBenchOptions): ResultTable[] {
  const { connections, processes, seconds } = options;
  const fast = sortOut(rounds, options.rounds, asFastAsAnswered);
  const half = sortOut(halves, options.rounds, atHalfRate);
  const row = (name: string, of: (round: Round) => Measurement, isReference: boolean, from = fast.counting) =>
    rowOf(
      rateColumns,
      name,
      from.map((round) => ({ ...valuesOf(of(round)), ...ratiosOf(of(round), round) })),
      { isReference },
    );
  return [
    {
      title: 'Single events, as fast as they are answered',
      note:
        `Events of 1 KiB, ${subscriptions} matching subscriptions, ${connections} connections, ${processes} process(es) of the API, ${seconds} s; ` +
        `all servers with \`${largeApiHeap.join(' ')}\`. CPU in microseconds per event. ` +
        describeSorted(fast, asFastAsAnswered),
      columns: rateColumns,
      rows: [
        row('Postrider', ({ postrider }) => postrider, false),
        row('bare node:http, group commit', ({ bare }) => bare, true),
        row('bare node:http, single commits', ({ single }) => single, true),
        ...(fast.leftOut.length > 0 ? [row('Postrider, rounds left out', ({ postrider }) => postrider, true, fast.leftOut)] : []),
      ],
    },
    {
      title: 'Single events, at half of that rate',
      note: `Latency counts from when a request should have been sent. ${describeSorted(half, atHalfRate)}`,
      columns: latencyColumns,
      rows: [
        rowOf(latencyColumns, 'Postrider', half.counting.map(valuesOf)),
        ...(half.leftOut.length > 0
          ? [rowOf(latencyColumns, 'Postrider, rounds left out', half.leftOut.map(valuesOf), { isReference: true })]
          : []),
      ],
    },
  ];
}

function ratiosOf({ perSecond }: Measurement, { bare, single }: Round): Values {
  return { 'of bare': perSecond / bare.perSecond, 'of single commits': perSecond / single.perSecond };
}

function valuesOf(measurement: Measurement): Values {
  return {
    'events/s': measurement.perSecond,
    'p50 ms': measurement.p50Ms,
    'p99 ms': measurement.p99Ms,
    'server CPU': measurement.serverCpu * 1000,
    'database CPU': measurement.databaseCpu * 1000,
    'stolen, %': measurement.disturbance.stolenShare * 100,
    'slowest small write, ms': measurement.disturbance.slowestWriteMs,
  };
}

async function startPostriderTarget(server: BenchServer, processes: number): Promise<Target> {
  const database = await server.createDatabase();
  const env = { AUTO_DB_MIGRATION: 'false', DISABLE_API_RATE_LIMITING: 'true', API_PROCESSES: String(processes) };
  const api = await startApi({ databaseUrl: database.runtimeUrl, env, nodeFlags: largeApiHeap });
  const setup = await setUpApplication(new ApiClient(api.url));
  for (let index = 0; index < subscriptions; index += 1) {
    await subscribe(setup, 'http://127.0.0.1:9/', { labels });
  }
  return { database, managed: api, url: api.url, token: setup.secret, body: bodyFor(setup.applicationId, setup.eventType) };
}

async function startBareTarget(server: BenchServer, mode: 'group' | 'single'): Promise<Target> {
  const database = await server.createDatabase();
  const application = await insertApplication(database.admin);
  for (let index = 0; index < subscriptions; index += 1) {
    await insertSubscription(database.admin, application, { labels });
  }
  const managed = startScript('bare-server', [database.runtimeUrl, mode], largeApiHeap);
  const { url } = await managed.waitForLog(({ event }) => event === 'bare.started');
  const body = bodyFor(application.applicationId, application.eventTypeName);
  return { database, managed, url: String(url), token: 'none', body };
}

function bodyFor(applicationId: string, eventType: string): string {
  return JSON.stringify({
    application_id: applicationId,
    event_type: eventType,
    payload,
    payload_content_type: 'application/json',
    occurred_at: '2026-01-01T00:00:00Z',
    labels,
  });
}

/** Runs the load and reads the CPU of both sides from when it is warm. */
async function load(
  server: BenchServer,
  target: Target,
  options: Pick<IngestBenchOptions, 'connections' | 'seconds'>,
  perSecond: number,
): Promise<Measurement> {
  const { connections, seconds } = options;
  await emptyQueue(target.database);
  const numbers = [connections, warmUpSeconds, seconds, perSecond].map(String);
  const loader = startScript('load', [target.url, target.token, target.body, ...numbers]);
  await loader.waitForLog(({ event }) => event === 'load.measuring', (warmUpSeconds + 30) * 1000);
  const before = { server: treeCpuSeconds(target.managed.pid), database: treeCpuSeconds(server.pid) };
  const { result: line, disturbance } = await watched(server.directory, () =>
    loader.waitForLog(({ event }) => event === 'load.finished', (seconds + 60) * 1000),
  );
  const count = Number(line['count']);
  if (line['failed'] !== 0 || count === 0) {
    throw new Error(`${String(line['failed'])} events were not taken, ${count} were.`);
  }
  return {
    perSecond: Number(line['perSecond']),
    p50Ms: Number(line['p50Ms']),
    p99Ms: Number(line['p99Ms']),
    serverCpu: ((treeCpuSeconds(target.managed.pid) - before.server) / count) * 1000,
    databaseCpu: ((treeCpuSeconds(server.pid) - before.database) / count) * 1000,
    disturbance,
  };
}

async function end({ managed, database }: Target): Promise<void> {
  managed.kill('SIGKILL');
  await managed.waitForExit();
  await database.drop();
}

function startScript(name: 'bare-server' | 'load', args: readonly string[], flags: readonly string[] = []): ManagedProcess {
  const main = fileURLToPath(new URL(`../../dist/ingest/${name}.js`, import.meta.url));
  return startProcess({ command: process.execPath, args: [...flags, main, ...args] });
}
