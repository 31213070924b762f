import { fileURLToPath } from 'node:url';
import { ApiClient, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { type ManagedProcess, startProcess } from '@postrider/testkit/child-process';
import { insertApplication, insertSubscription } from '@postrider/testkit/factories';
import { memoryFlags, startApi } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { treeCpuSeconds } from '../cpu-time.ts';
import { environmentOf, saveResults } from '../results.ts';
import { formatSpread, renderTable, spreadOf } from '../statistics.ts';

export interface IngestBenchOptions {
  readonly seconds: number;
  readonly warmUpSeconds: number;
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
  readonly managed: ManagedProcess;
  readonly url: string;
  readonly token: string;
  readonly body: string;
}

const subscriptions = 3;
const labels = { tenant: 'acme' };
/** 1 KiB, as JSON in a text. */
const payload = JSON.stringify({ data: 'x'.repeat(1013) });
/** What is asked of Postrider. */
const targets = { ofBare: 0.8, ofSingle: 2, halfP99Ms: 50 };

/**
 * Ingests events of 1 KiB with three matching subscriptions, each contender on a database of its own; rounds are interleaved, so that the noise
 * of a shared machine meets all of them.
 */
export async function benchIngest(options: IngestBenchOptions): Promise<void> {
  const server = await startBenchServer();
  const environment = environmentOf(server.version);
  options.print(
    `${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; events of 1 KiB, ${subscriptions} subscriptions, ` +
      `${options.connections} connections, ${options.processes} process(es) of the API, ${options.rounds} x ${options.seconds} s`,
  );
  const rounds: Round[] = [];
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      const bare = await measureBare(server, 'group', options);
      const { postrider, half } = await measurePostrider(server, options);
      const single = await measureBare(server, 'single', options);
      rounds.push({ postrider, half, bare, single });
    }
  } finally {
    await server.stop();
  }
  options.print(`\n${table(rounds)}\n`);
  const verdicts = judge(rounds);
  verdicts.forEach(({ text, isMet }) => options.print(`${isMet ? 'met' : 'MISSED'}: ${text}`));
  saveResults('ingest', environment, { options, rounds, verdicts });
}

function table(rounds: readonly Round[]): string {
  const row = (name: string, of: (round: Round) => Measurement, isRated: boolean): string[] => {
    const column = (read: (measurement: Measurement) => number, digits: number): string =>
      formatSpread(
        rounds.map((round) => read(of(round))),
        digits,
      );
    const ratio = (other: (round: Round) => Measurement): string =>
      isRated
        ? formatSpread(
            rounds.map((round) => of(round).perSecond / other(round).perSecond),
            2,
          )
        : '';
    return [
      name,
      column(({ perSecond }) => perSecond, 0),
      ratio(({ bare }) => bare),
      ratio(({ single }) => single),
      column(({ p50Ms }) => p50Ms, 1),
      column(({ p99Ms }) => p99Ms, 1),
      column(({ serverCpu }) => serverCpu, 3),
      column(({ databaseCpu }) => databaseCpu, 3),
    ];
  };
  return renderTable(
    ['what', 'events/s', 'of bare', 'of single commits', 'p50 ms', 'p99 ms', 'server CPU ms per event', 'database CPU ms per event'],
    [
      row('Postrider', ({ postrider }) => postrider, true),
      row('Postrider at half of that', ({ half }) => half, false),
      row('bare node:http, group commit', ({ bare }) => bare, true),
      row('bare node:http, single commits', ({ single }) => single, true),
    ],
  );
}

function judge(rounds: readonly Round[]): { text: string; isMet: boolean }[] {
  const median = (read: (round: Round) => number): number => spreadOf(rounds.map(read)).median;
  const ofBare = median(({ postrider, bare }) => postrider.perSecond / bare.perSecond);
  const ofSingle = median(({ postrider, single }) => postrider.perSecond / single.perSecond);
  const halfP99Ms = median(({ half }) => half.p99Ms);
  return [
    { text: `${ofBare.toFixed(2)} of the bare server, ${targets.ofBare} wanted`, isMet: ofBare >= targets.ofBare },
    { text: `${ofSingle.toFixed(2)} of single commits, ${targets.ofSingle} wanted`, isMet: ofSingle >= targets.ofSingle },
    { text: `p99 of ${halfP99Ms.toFixed(1)} ms at half rate, ${targets.halfP99Ms} wanted`, isMet: halfP99Ms < targets.halfP99Ms },
  ];
}

async function measurePostrider(server: BenchServer, options: IngestBenchOptions): Promise<Pick<Round, 'postrider' | 'half'>> {
  const database = await server.createDatabase();
  const target = await startPostriderTarget(database, options.processes);
  const postrider = await load(server, target, options, 0);
  const half = await load(server, target, options, postrider.perSecond / 2);
  await end(target, database);
  return { postrider, half };
}

async function startPostriderTarget(database: TestDatabase, processes: number): Promise<Target> {
  const env = { AUTO_DB_MIGRATION: 'false', DISABLE_API_RATE_LIMITING: 'true', API_PROCESSES: String(processes) };
  const api = await startApi({ databaseUrl: database.runtimeUrl, env });
  const setup = await setUpApplication(new ApiClient(api.url));
  for (let index = 0; index < subscriptions; index += 1) {
    await subscribe(setup, 'http://127.0.0.1:9/', { labels });
  }
  return { managed: api, url: api.url, token: setup.secret, body: bodyFor(setup.applicationId, setup.eventType) };
}

async function measureBare(server: BenchServer, mode: 'group' | 'single', options: IngestBenchOptions): Promise<Measurement> {
  const database = await server.createDatabase();
  const application = await insertApplication(database.admin);
  for (let index = 0; index < subscriptions; index += 1) {
    await insertSubscription(database.admin, application, { labels });
  }
  const managed = startScript('bare-server', [database.runtimeUrl, mode], memoryFlags);
  const { url } = await managed.waitForLog(({ event }) => event === 'bare.started');
  const target = { managed, url: String(url), token: 'none', body: bodyFor(application.applicationId, application.eventTypeName) };
  const measurement = await load(server, target, options, 0);
  await end(target, database);
  return measurement;
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
async function load(server: BenchServer, target: Target, options: IngestBenchOptions, perSecond: number): Promise<Measurement> {
  const { connections, warmUpSeconds, seconds } = options;
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

async function end(target: Target, database: TestDatabase): Promise<void> {
  target.managed.kill('SIGKILL');
  await target.managed.waitForExit();
  await database.drop();
}

function startScript(name: 'bare-server' | 'load', args: readonly string[], nodeFlags: readonly string[] = []): ManagedProcess {
  const main = fileURLToPath(new URL(`../../dist/ingest/${name}.js`, import.meta.url));
  return startProcess({ command: process.execPath, args: [...nodeFlags, main, ...args] });
}
