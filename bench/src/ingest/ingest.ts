import { fileURLToPath } from 'node:url';
import { ApiClient, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { type ManagedProcess, startProcess } from '@postrider/testkit/child-process';
import { insertApplication, insertSubscription } from '@postrider/testkit/factories';
import { startApi } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { type BenchServer, emptyQueue, startBenchServer } from '../bench-database.ts';
import { treeCpuSeconds } from '../cpu-time.ts';
import { largeApiHeap } from '../large-api-heap.ts';
import { renderResultTable, type ResultColumn, type ResultTable, type Round as Values, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';

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
}

interface Round {
  readonly postrider: Measurement;
  /** Postrider at half of the rate that it reached. */
  readonly half: Measurement;
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
];

/**
 * Ingests events of 1 KiB with three matching subscriptions, each contender on a database of its own. All of them run from the beginning to the
 * end, as servers do, and are measured in turns, so that the noise of a shared machine meets all of them.
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
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      await server.checkpoint();
      rounds.push(await measureRound(server, targets, options, round));
    }
    for (const target of all) {
      await end(target);
    }
    const tables = tablesOf(rounds, options);
    tables.forEach((table) => options.print(`\n${renderResultTable(table)}`));
    saveResults('ingest', environment, { tables });
  } finally {
    await server.stop();
  }
}

/** The two that are compared stand side by side, and change places each time. */
async function measureRound(server: BenchServer, targets: Targets, options: IngestBenchOptions, round: number): Promise<Round> {
  const measured = (target: Target, perSecond = 0): Promise<Measurement> => load(server, target, options, perSecond);
  const bareFirst = round % 2 === 0 ? await measured(targets.bare) : null;
  const postrider = await measured(targets.postrider);
  const bare = bareFirst ?? (await measured(targets.bare));
  const half = await measured(targets.postrider, postrider.perSecond / 2);
  return { postrider, half, bare, single: await measured(targets.single) };
}

function tablesOf(rounds: readonly Round[], options: IngestBenchOptions): ResultTable[] {
  const { connections, processes, seconds } = options;
  const row = (columns: readonly ResultColumn[], name: string, of: (round: Round) => Measurement, isReference: boolean) =>
    rowOf(
      columns,
      name,
      rounds.map((round) => valuesOf(of(round), round)),
      { isReference },
    );
  return [
    {
      title: 'Single events, as fast as they are answered',
      note:
        `Events of 1 KiB, ${subscriptions} matching subscriptions, ${connections} connections, ${processes} process(es) of the API, ${seconds} s; ` +
        `all servers with \`${largeApiHeap.join(' ')}\`. CPU in microseconds per event.`,
      columns: rateColumns,
      rows: [
        row(rateColumns, 'Postrider', ({ postrider }) => postrider, false),
        row(rateColumns, 'bare node:http, group commit', ({ bare }) => bare, true),
        row(rateColumns, 'bare node:http, single commits', ({ single }) => single, true),
      ],
    },
    {
      title: 'Single events, at half of that rate',
      note: 'Latency counts from when a request should have been sent.',
      columns: latencyColumns,
      rows: [row(latencyColumns, 'Postrider', ({ half }) => half, false)],
    },
  ];
}

function valuesOf(measurement: Measurement, { bare, single }: Round): Values {
  return {
    'events/s': measurement.perSecond,
    'of bare': measurement.perSecond / bare.perSecond,
    'of single commits': measurement.perSecond / single.perSecond,
    'p50 ms': measurement.p50Ms,
    'p99 ms': measurement.p99Ms,
    'server CPU': measurement.serverCpu * 1000,
    'database CPU': measurement.databaseCpu * 1000,
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
  const line = await loader.waitForLog(({ event }) => event === 'load.finished', (seconds + 60) * 1000);
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
