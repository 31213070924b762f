import { loadavg } from 'node:os';
import { insertHistory } from '@postrider/testkit/history';
import { startApi, testMasterKey } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { Agent, request } from 'undici';
import { startBenchServer } from '../bench-database.ts';
import { environmentOf, saveResults } from '../results.ts';
import { renderTable } from '../statistics.ts';
import { endpointsOf, type KnownRows, type MeasuredEndpoint } from './endpoints.ts';

export interface QueriesBenchOptions {
  readonly events: number;
  readonly days: number;
  /** Requests to each endpoint that are measured. */
  readonly requests: number;
  readonly print: (line: string) => void;
}

interface EndpointResult extends MeasuredEndpoint {
  readonly rows: number;
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const payloadBytes = 512;
const warmUps = 5;
/** What the answers of a list are held to. */
const p99MsMax = 100;

/** Asks a real API process everything that it can be asked, over a long history; every endpoint many times, one request after the other. */
export async function benchQueries(options: QueriesBenchOptions): Promise<void> {
  const { print } = options;
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase();
    const startedAt = performance.now();
    const known = await load(database, options);
    const loadSeconds = (performance.now() - startedAt) / 1000;
    print(`${options.events} events, ${3 * options.events} attempts, ${options.days} days: loaded in ${loadSeconds.toFixed(0)} s\n`);
    const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
    const results: EndpointResult[] = [];
    const agent = new Agent({ allowH2: false, connections: 1, pipelining: 1 });
    try {
      for (const endpoint of endpointsOf(known)) {
        results.push(await measure(agent, api.url, endpoint, options.requests));
      }
    } finally {
      await agent.close();
      api.kill('SIGTERM');
      await api.waitForExit();
    }
    await database.drop();
    print(table(results));
    saveResults('queries', environmentOf(server.version), results, { ...conditions(options), loadSeconds: Math.round(loadSeconds) });
    const slow = results.filter(({ p99Ms }) => p99Ms >= p99MsMax).map(({ name }) => name);
    print(slow.length === 0 ? `\nEvery p99 is below ${p99MsMax} ms.` : `\nAbove ${p99MsMax} ms at p99: ${slow.join(', ')}.`);
  } finally {
    await server.stop();
  }
}

async function load(database: TestDatabase, options: QueriesBenchOptions): Promise<KnownRows> {
  const { admin } = database;
  const history = await insertHistory(admin, { events: options.events, days: options.days, payloadBytes });
  // As autovacuum leaves it: statistics, and pages known to be visible to all.
  await admin.query({ text: 'vacuum analyze event.event' });
  await admin.query({ text: 'vacuum analyze webhook.finished_attempt' });
  await admin.query({ text: 'vacuum analyze' });
  const { rows } = await admin.query<{ event_id: string; request_attempt_id: string }>({
    text: `select event_id, request_attempt_id from webhook.finished_attempt
           where application_id = $1 and succeeded_at is not null order by request_attempt_id offset 1000 limit 1`,
    values: [history.application.applicationId],
  });
  return { history, eventId: rows[0]?.event_id ?? '', requestAttemptId: rows[0]?.request_attempt_id ?? '' };
}

async function measure(agent: Agent, url: string, endpoint: MeasuredEndpoint, requests: number): Promise<EndpointResult> {
  const latenciesMs: number[] = [];
  let rows = 0;
  for (let count = -warmUps; count < requests; count += 1) {
    const startedAt = performance.now();
    const response = await request(`${url}/api/v1${endpoint.path}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${testMasterKey}` },
    });
    const body = await response.body.text();
    const tookMs = performance.now() - startedAt;
    if (response.statusCode !== 200) {
      throw new Error(`${endpoint.path} answered ${response.statusCode}: ${body}`);
    }
    if (count >= 0) {
      latenciesMs.push(tookMs);
    }
    const parsed: unknown = JSON.parse(body);
    rows = Array.isArray(parsed) ? parsed.length : 1;
  }
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round((sorted[Math.floor(sorted.length * part)] ?? Number.NaN) * 10) / 10;
  return { ...endpoint, rows, minMs: at(0), p50Ms: at(0.5), p99Ms: at(0.99) };
}

function table(results: readonly EndpointResult[]): string {
  return renderTable(
    ['endpoint', 'rows', 'least ms', 'p50 ms', 'p99 ms'],
    results.map(({ name, rows, minMs, p50Ms, p99Ms }) => [name, String(rows), minMs.toFixed(1), p50Ms.toFixed(1), p99Ms.toFixed(1)]),
  );
}

function conditions({ events, days, requests }: QueriesBenchOptions) {
  // Others at work on the machine show in the higher percentiles first.
  const loadAverage = Math.round(loadavg()[0] ?? Number.NaN);
  return { events, attempts: 3 * events, days, requestsPerEndpoint: requests, loadAverage };
}
