import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { TestDatabase } from '@postrider/testkit/test-database';
import type { BenchServer } from '../bench-database.ts';
import { machineCpuSeconds, treeCpuSeconds } from '../cpu-time.ts';
import type { Sink } from '../sink.ts';

/** One way to deliver, measured once. Everything per delivery; null where there is no database. */
export interface Measurement {
  readonly perSecond: number;
  readonly senderCpuMicros: number;
  readonly databaseCpuMicros: number | null;
  readonly receiverCpuMicros: number;
  readonly walBytes: number | null;
  /** Of the largest process. */
  readonly peakMemoryMiB: number;
  /** Connections to the database at a time. */
  readonly connections: number | null;
  /** The part of the machine's CPU time that went elsewhere meanwhile: much of it makes rates worthless, and CPU per delivery less so. */
  readonly othersCpuShare: number;
}

/** What all contenders of a scenario share. */
export interface Surroundings {
  readonly server: BenchServer;
  readonly sink: Sink;
  readonly concurrent: number;
  /** Each time that it is measured. */
  readonly attempts: number;
  /** Once, before. */
  readonly warmUp: number;
}

/** One that is warm and stands still until its turn comes. */
export interface PreparedContender {
  /** Gives it a backlog and lets it work that off. */
  measure(): Promise<Measurement>;
  stop(): Promise<void>;
}

const microsPerSecond = 1e6;

/** What the database and the receiver use from now on, until `end` is asked. */
export async function startReading({ server, sink }: Surroundings, database: TestDatabase | null) {
  const walAtStart = database ? await walPosition(database) : 0;
  const databaseAtStart = treeCpuSeconds(server.pid);
  const receiverAtStart = treeCpuSeconds(sink.pid);
  const machineAtStart = machineCpuSeconds();
  const startedAt = performance.now();
  return {
    async end({ deliveries, senderCpuMicros }: { readonly deliveries: number; readonly senderCpuMicros: number }) {
      const machine = machineCpuSeconds() - machineAtStart;
      const available = ((performance.now() - startedAt) / 1000) * availableParallelism();
      const serverCpu = treeCpuSeconds(server.pid) - databaseAtStart;
      const receiverCpu = treeCpuSeconds(sink.pid) - receiverAtStart;
      const senderCpu = senderCpuMicros / microsPerSecond;
      return {
        walBytes: database ? ((await walPosition(database)) - walAtStart) / deliveries : null,
        senderCpuMicros: senderCpuMicros / deliveries,
        databaseCpuMicros: database ? (serverCpu / deliveries) * microsPerSecond : null,
        receiverCpuMicros: (receiverCpu / deliveries) * microsPerSecond,
        othersCpuShare: Math.max(0, machine - serverCpu - receiverCpu - senderCpu) / available,
      };
    },
  };
}

async function walPosition(database: TestDatabase): Promise<number> {
  const { rows } = await database.admin.query<{ position: number }>({
    text: `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::double precision as position`,
  });
  return rows[0]?.position ?? Number.NaN;
}

/** Counts the connections of others to this database until the work is done; the most at a time. */
export async function countConnectionsDuring(database: TestDatabase, work: Promise<unknown>): Promise<number> {
  const done = work.then(() => true);
  let most = 0;
  do {
    const { rows } = await database.admin.query<{ count: number }>({
      text: `select count(*)::integer as count from pg_stat_activity
             where datname = current_database() and backend_type = 'client backend' and usename <> current_user`,
    });
    most = Math.max(most, rows[0]?.count ?? 0);
  } while (!(await Promise.race([done, wait(500, false)])));
  return most;
}

/**
 * Begins a new round of write-ahead logging before a backlog is made: in the log's first mention of a page after a checkpoint stands the whole
 * page, which a delivery minutes later would pay for. In real life it comes moments after its event, mostly without a checkpoint between.
 */
export async function beforeBacklog(database: TestDatabase): Promise<void> {
  await database.admin.query({ text: 'checkpoint' });
}

/** Lets the database come to rest with fresh statistics, as autovacuum would. */
export async function afterBacklog(database: TestDatabase): Promise<void> {
  await database.admin.query({ text: 'vacuum analyze' });
}

/** Deletes all rows, and has done what autovacuum would come to do meanwhile, in somebody else's turn. */
export async function clearTables(database: TestDatabase, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    await database.admin.query({ text: `delete from ${table}` });
  }
  await database.admin.query({ text: 'vacuum' });
}
