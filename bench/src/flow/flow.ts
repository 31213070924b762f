import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { slotsForOneSubscription, startApi, startWorker } from '@postrider/testkit/postrider-processes';
import { eventually } from '@postrider/testkit/eventually';
import { Agent, request } from 'undici';
import { startBenchServer } from '../bench-database.ts';
import { peakMemoryMiB, processCpuSeconds } from '../cpu-time.ts';
import { renderResultTable, type ResultColumn, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { startSink } from '../sink.ts';
import { quantileOf } from '../statistics.ts';

export interface FlowBenchOptions {
  readonly seconds: number;
  /** Requests to the API at a time. */
  readonly clients: number;
  readonly print: (line: string) => void;
}

const columns: readonly ResultColumn[] = [
  { name: 'events/s', digits: 0 },
  { name: 'p50 ms', digits: 1, isPlotted: true },
  { name: 'p99 ms', digits: 1, isPlotted: true },
  { name: 'CPU s per 1,000', digits: 3 },
  { name: 'peak RSS MiB', digits: 0 },
];

/** Events in over HTTP and out to a receiver at the same time, one API and one worker of 20 slots: rates, latency and memory. */
export async function benchFlow(options: FlowBenchOptions): Promise<void> {
  const server = await startBenchServer();
  const sink = await startSink();
  const database = await server.createDatabase();
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  const worker = await startWorker({ databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(20) });
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, sink.url);
  const agent = new Agent({ allowH2: false, connections: options.clients, pipelining: 1 });
  const body = JSON.stringify(eventOf(setup, { payload: '{"id":1}' }));
  const latenciesMs: number[] = [];
  const endAt = performance.now() + options.seconds * 1000;

  const client = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const startedAt = performance.now();
      const response = await request(`${api.url}/api/v1/event`, {
        dispatcher: agent,
        method: 'POST',
        headers: { authorization: `Bearer ${setup.secret}`, 'content-type': 'application/json' },
        body,
      });
      await response.body.dump();
      if (response.statusCode !== 201) {
        throw new Error(`An event was answered with ${response.statusCode}.`);
      }
      latenciesMs.push(performance.now() - startedAt);
    }
  };

  try {
    await Promise.all(Array.from({ length: options.clients }, client));
    await eventually(async () => {
      const { rowCount } = await database.admin.query({ text: 'select from webhook.open_attempt limit 1' });
      return rowCount === 0;
    });
    const { rows } = await database.admin.query<{ p50: number; p99: number }>({
      text: `select percentile_cont(0.5) within group (order by lag) as p50, percentile_cont(0.99) within group (order by lag) as p99
             from (select extract(epoch from picked_at - created_at)::double precision * 1000 as lag from webhook.finished_attempt) a`,
    });
    const count = latenciesMs.length;
    const of = (pid: number, p50: number, p99: number): Round => ({
      'events/s': count / options.seconds,
      'p50 ms': p50,
      'p99 ms': p99,
      'CPU s per 1,000': (processCpuSeconds(pid) / count) * 1000,
      'peak RSS MiB': peakMemoryMiB(pid),
    });
    const table = {
      title: 'Events in and out',
      note: `${options.clients} clients for ${options.seconds} s; one API and one worker of 20 slots.`,
      columns,
      rows: [
        rowOf(columns, 'API', [of(api.pid, quantileOf(latenciesMs, 0.5), quantileOf(latenciesMs, 0.99))]),
        rowOf(columns, 'worker (committed to claimed)', [of(worker.pid, rows[0]?.p50 ?? Number.NaN, rows[0]?.p99 ?? Number.NaN)]),
      ],
    };
    options.print(renderResultTable(table));
    saveResults('flow', environmentOf(server.version), { tables: [table] });
  } finally {
    for (const managed of [worker, api]) {
      managed.kill('SIGTERM');
      await managed.waitForExit();
    }
    await database.drop();
    await sink.stop();
    await server.stop();
  }
}
