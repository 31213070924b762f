import { setTimeout as wait } from 'node:timers/promises';
import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { startWorker } from '@postrider/testkit/postrider-processes';
import { startArrivalReceiver } from '../arrivals/start-arrival-receiver.ts';
import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { stopProcess, withCleanUp } from '../clean-up.ts';
import { renderResultTable, type ResultColumn, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';

export interface RateBenchOptions {
  readonly workers: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

const columns: readonly ResultColumn[] = [
  { name: 'requests/s', digits: 2, isPlotted: true },
  { name: 'off the rate', digits: 3, target: { atMost: 0.1 } },
  { name: 'least in a second', digits: 0 },
  { name: 'most in a second', digits: 0 },
  { name: 'most in any second', digits: 0 },
];

/** A subscription with a rate and a backlog, and more workers than it needs: the rate is that of all of them together. */
export async function benchRate(options: RateBenchOptions): Promise<void> {
  await withCleanUp(async (defer) => {
    const server = await startBenchServer();
    defer(() => server.stop());
    const environment = environmentOf(server.version);
    options.print(`${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; ${options.rounds} rounds`);
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      rounds.push(await measure(server, options));
    }
    const { workers, perSecond, seconds } = options;
    const table = {
      title: 'A rate across workers',
      note:
        `${perSecond} requests a second asked for, ${workers} workers, a backlog of twice what ${seconds} s allow; counted in the receiver for ${seconds} s ` +
        'from its first request on. Seconds are those after the first request; any second is one that begins with some request.',
      columns,
      rows: [rowOf(columns, `${workers} workers`, rounds)],
    };
    options.print(`\n${renderResultTable(table)}`);
    saveResults('rate', environment, { tables: [table] });
  });
}

function measure(server: BenchServer, { workers, perSecond, seconds }: RateBenchOptions): Promise<Round> {
  return withCleanUp(async (defer) => {
    const database = await server.createDatabase();
    defer(() => database.drop());
    const receiver = await startArrivalReceiver({ delayMs: 0 });
    defer(() => receiver.stop());
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application, { url: receiver.url });
    await database.admin.query({
      text: 'update webhook.subscription set rate_requests = $2, rate_period_ms = 1000 where subscription_id = $1',
      values: [subscription.subscriptionId, perSecond],
    });
    await insertBacklog(database.admin, application, subscription, { count: perSecond * seconds * 2 });
    const running = await Promise.all(Array.from({ length: workers }, () => startWorker({ databaseUrl: database.runtimeUrl })));
    defer(() => Promise.all(running.map(stopProcess)));
    await wait((seconds + 2) * 1000);

    const arrivals = (await receiver.arrivals()).map(({ atMs }) => atMs);
    const [first = Number.NaN] = arrivals;
    const counted = arrivals.filter((atMs) => atMs - first < seconds * 1000);
    const bySecond = Array.from({ length: seconds }, (_, second) => countFrom(counted, first + second * 1000));
    const rate = counted.length / seconds;
    return {
      'requests/s': rate,
      'off the rate': Math.abs(rate / perSecond - 1),
      'least in a second': Math.min(...bySecond),
      'most in a second': Math.max(...bySecond),
      'most in any second': Math.max(...counted.map((fromMs) => countFrom(counted, fromMs))),
    };
  });
}

function countFrom(arrivals: readonly number[], fromMs: number): number {
  return arrivals.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1000).length;
}
