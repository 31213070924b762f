import { randomUUID } from 'node:crypto';
import { eventually } from '@postrider/testkit/eventually';
import { type ArrivalReceiver, startArrivalReceiver } from '../arrivals/start-arrival-receiver.ts';
import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { withCleanUp } from '../clean-up.ts';
import { atPace } from '../load/pace.ts';
import { renderResultTable, type ResultColumn, type ResultTable, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { quantileOf } from '../statistics.ts';
import type { LatencyContender } from './contender.ts';
import { idleColumns, measureIdleWorkers } from './idle.ts';
import { peerContenders } from './peer-contenders.ts';
import { postriderContender } from './postrider-contender.ts';
import { statementLogPrefix } from './statement-log.ts';

export interface LatencyBenchOptions {
  readonly perSecond: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly idleWorkers: number;
  readonly idleSeconds: number;
  readonly idleEvents: number;
  readonly print: (line: string) => void;
}

const columns: readonly ResultColumn[] = [
  { name: 'p50 ms', digits: 2, target: { atMost: 3 }, isPlotted: true },
  { name: 'p99 ms', digits: 2, target: { atMost: 15 }, isPlotted: true },
  { name: 'longest ms', digits: 1 },
];

/** From the commit of an event to the receiver's socket, at a steady rate, beside other queues on PostgreSQL; and what idle workers cost. */
export async function benchLatency(options: LatencyBenchOptions): Promise<void> {
  await withCleanUp(async (defer) => {
    const server = await startBenchServer({ track_commit_timestamp: 'on', log_line_prefix: statementLogPrefix });
    defer(() => server.stop());
    const receiver = await startArrivalReceiver({ delayMs: 0 });
    defer(() => receiver.stop());
    const environment = environmentOf(server.version);
    options.print(`${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; ${options.rounds} rounds`);

    const contenders = [postriderContender, ...peerContenders];
    const rounds = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
    const idle: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      for (const contender of contenders) {
        rounds.get(contender.name)?.push(await measure(contender, server, receiver, options));
      }
      idle.push(
        await measureIdleWorkers(server, {
          workers: options.idleWorkers,
          seconds: options.idleSeconds,
          events: options.idleEvents,
          receiverUrl: receiver.url,
        }),
      );
    }
    const tables = tablesOf(options, rounds, idle);
    tables.forEach((table) => options.print(`\n${renderResultTable(table)}`));
    saveResults('latency', environment, { tables });
  });
}

function tablesOf(options: LatencyBenchOptions, rounds: ReadonlyMap<string, readonly Round[]>, idle: readonly Round[]): ResultTable[] {
  return [
    {
      title: 'From commit to socket',
      note:
        `${options.perSecond} events a second of 1 KiB for ${options.seconds} s, one worker process of 20 slots. From the commit's own ` +
        'timestamp, which PostgreSQL takes before it waits for the disk, to the request in the receiver. Postrider takes its events over ' +
        'HTTP, signs and keeps a log of every attempt; jobs of the others are inserted directly and posted as they are.',
      columns,
      rows: [...rounds].map(([name, values]) => rowOf(columns, name, values, { isReference: name !== postriderContender.name })),
    },
    {
      title: 'Idle workers',
      note:
        `${options.idleWorkers} workers, nothing to do for ${options.idleSeconds} s, then ${options.idleEvents} single events. By the ` +
        "server's log of statements; at once is within 15 ms of the first claim after the commit. A worker also looks by itself every second.",
      columns: idleColumns,
      rows: [rowOf(idleColumns, `${options.idleWorkers} workers`, idle)],
    },
  ];
}

async function measure(
  contender: LatencyContender,
  server: BenchServer,
  receiver: ArrivalReceiver,
  { perSecond, seconds, warmUpSeconds }: LatencyBenchOptions,
): Promise<Round> {
  const running = await contender.start(server, receiver.url);
  try {
    await atPace(perSecond, perSecond * warmUpSeconds, () => running.send(randomUUID()));
    const ids = new Set<string>();
    await atPace(perSecond, perSecond * seconds, () => {
      const id = randomUUID();
      ids.add(id);
      return running.send(id);
    });
    const arrived = await eventually(
      async () => {
        const arrivals = await receiver.arrivals();
        const times = new Map(arrivals.filter(({ eventId }) => ids.has(eventId)).map(({ eventId, atMs }) => [eventId, atMs]));
        return times.size === ids.size && times;
      },
      { intervalMs: 200 },
    );
    const committed = await running.committedAt();
    const latencies = [...ids].map((id) => (arrived.get(id) ?? Number.NaN) - (committed.get(id) ?? Number.NaN));
    return { 'p50 ms': quantileOf(latencies, 0.5), 'p99 ms': quantileOf(latencies, 0.99), 'longest ms': Math.max(...latencies) };
  } finally {
    await running.stop();
  }
}
