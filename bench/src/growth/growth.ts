import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { Client } from 'pg';
import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { type Defer, withCleanUp } from '../clean-up.ts';
import { renderResultTable, type ResultColumn, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { type Sink, startSink } from '../sink.ts';
import { besideOpenTransaction, watchDrain, watchPace, type WatchedWork } from './drain.ts';
import { growthPayloadBytes, seedDue, seedFinished, type SeedOwner } from './seed.ts';

export interface GrowthBenchOptions {
  readonly finished: number;
  readonly waiting: number;
  readonly due: number;
  readonly heldSeconds: number;
  /** Deliveries that are watched of each backlog, and those before them. */
  readonly deliveries: number;
  readonly warmUp: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

interface GrowthCase {
  readonly name: string;
  /** The case that it is compared with; null for those. */
  readonly reference: string | null;
  /** Once, before the rounds. */
  readonly prepare: (database: TestDatabase, owner: SeedOwner) => Promise<void>;
  readonly measure: (database: TestDatabase, owner: SeedOwner) => Promise<WatchedWork>;
}

/** Attempts that share a due time where they do: what one statement of somebody's own inserts. */
const sharing = 1000;
const pacePerSecond = 1000;
/** Beyond what is watched, for what a worker claims ahead. */
const backlogShare = 1.3;
const hourMs = 3_600_000;
const small = 'small queue';
const paced = '1,000 a second';

const columns: readonly ResultColumn[] = [
  { name: 'claim ms, mean', digits: 2, isPlotted: true },
  { name: 'claim ms, p99 below', digits: 1 },
  { name: 'deliveries/s', digits: 0, isPlotted: true },
  { name: 'database CPU s per 1,000', digits: 3, isPlotted: true },
  { name: 'claim, of the small case', digits: 2, target: { atMost: 2 } },
  { name: 'rate, of the small case', digits: 2, target: { atLeast: 0.5 } },
  { name: 'CPU, of the small case', digits: 2, target: { atMost: 2 } },
];

/** Claims and rates of one worker on queues and logs that have grown, beside the small ones in the same run. */
export async function benchGrowth(options: GrowthBenchOptions): Promise<void> {
  await withCleanUp(async (defer) => {
    const server = await startBenchServer();
    defer(() => server.stop());
    const sink = await startSink();
    defer(() => sink.stop());
    const environment = environmentOf(server.version);
    options.print(
      `${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; receiver: ${sink.kind}; ${options.rounds} rounds`,
    );
    const cases = casesOf(server, options);
    const prepared = [];
    for (const growthCase of cases) {
      prepared.push({ growthCase, ...(await prepare({ server, sink, defer }, growthCase)) });
      options.print(`${growthCase.name}: ready`);
    }
    const rounds = new Map<string, Round[]>(cases.map(({ name }) => [name, []]));
    for (let round = 0; round < options.rounds; round += 1) {
      const references = new Map<string, WatchedWork>();
      for (const { growthCase, database, owner } of prepared) {
        const work = await growthCase.measure(database, owner);
        references.set(growthCase.name, work);
        rounds.get(growthCase.name)?.push(compare(work, references.get(growthCase.reference ?? growthCase.name) ?? work));
      }
    }
    const table = {
      title: 'Claims and rates as queue and log grow',
      note:
        `One worker of 100 slots, ${options.deliveries} deliveries of ${growthPayloadBytes} bytes from each backlog after ` +
        `${options.warmUp} to warm up; claims by the worker's own metric. The open transaction was held for ${options.heldSeconds} s, and its ` +
        'case watched in the last third of that.',
      columns,
      rows: cases.map(({ name, reference }) => rowOf(columns, name, rounds.get(name) ?? [], { isReference: reference === null })),
    };
    options.print(`\n${renderResultTable(table)}`);
    saveResults('growth', environment, { tables: [table] });
  });
}

function casesOf(server: BenchServer, options: GrowthBenchOptions): GrowthCase[] {
  const { finished, waiting, due, deliveries, warmUp, heldSeconds } = options;
  const backlog = Math.ceil((warmUp + deliveries) * backlogShare);
  const drain = (database: TestDatabase): Promise<WatchedWork> => watchDrain(database, { server, warmUp, count: deliveries });
  const refillAndDrain = async (database: TestDatabase, owner: SeedOwner): Promise<WatchedWork> => {
    await database.admin.query({ text: 'delete from webhook.open_attempt where due_at <= statement_timestamp()' });
    await seedDue(database, owner, backlog, 1);
    await settle(database);
    return drain(database);
  };
  const held = (database: TestDatabase, owner: SeedOwner) =>
    besideOpenTransaction(database, () => pace(server, heldSeconds)(database, owner));
  return [
    { name: small, reference: null, prepare: nothing, measure: refillAndDrain },
    {
      name: `${count(finished)} finished attempts`,
      reference: small,
      prepare: (database, owner) => seedFinished(database, owner, finished),
      measure: refillAndDrain,
    },
    {
      name: `${count(waiting)} retries wait`,
      reference: small,
      prepare: (database, { application, subscription }) =>
        insertBacklog(database.admin, application, subscription, {
          count: waiting,
          payloadBytes: growthPayloadBytes,
          dueInMs: hourMs * 24,
        }),
      measure: refillAndDrain,
    },
    {
      name: `${count(due)} due`,
      reference: small,
      prepare: (database, owner) => seedDue(database, owner, due, 1),
      measure: drain,
    },
    {
      name: `${count(due)} due, ${count(sharing)} at a time`,
      reference: small,
      prepare: (database, owner) => seedDue(database, owner, due, sharing),
      measure: drain,
    },
    { name: paced, reference: null, prepare: nothing, measure: pace(server, heldSeconds / 3) },
    { name: `${paced}, a transaction held open`, reference: paced, prepare: nothing, measure: held },
  ];
}

/** A worker at a steady rate for some seconds, watched in the last third of them. */
function pace(server: BenchServer, seconds: number): GrowthCase['measure'] {
  return (database, owner) =>
    watchPace(database, { server, owner, perSecond: pacePerSecond, beforeMs: seconds * 667, watchMs: seconds * 333 });
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

interface GrowthStage {
  readonly server: BenchServer;
  readonly sink: Sink;
  readonly defer: Defer;
}

async function prepare({ server, sink, defer }: GrowthStage, { prepare: seed }: GrowthCase) {
  const database = await server.createDatabase();
  defer(() => database.drop());
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application, { url: sink.url });
  const owner = { application, subscription };
  await seed(database, owner);
  await settle(database);
  return { database, owner };
}

/** What the seeding left to do is not what is measured. */
async function settle(database: TestDatabase): Promise<void> {
  // Without the time limit that statements of tests have: millions of rows are read and written here.
  const client = new Client({ connectionString: database.superuserUrl });
  await client.connect();
  try {
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

function compare(work: WatchedWork, reference: WatchedWork): Round {
  return {
    'claim ms, mean': work.claimMeanMs,
    'claim ms, p99 below': work.claimP99Ms,
    'deliveries/s': work.perSecond,
    'database CPU s per 1,000': work.databaseCpu,
    'claim, of the small case': work.claimMeanMs / reference.claimMeanMs,
    'rate, of the small case': work.perSecond / reference.perSecond,
    'CPU, of the small case': work.databaseCpu / reference.databaseCpu,
  };
}
