import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startTemporaryPostgres } from '@postrider/testkit/temporary-postgres';
import { asSuperuser, createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';

/** A server with the durability of production, for one benchmark. */
export interface BenchServer {
  /** The process id of its first process. */
  readonly pid: number;
  readonly version: string;
  /** The directory that its data is in, and nothing else of it: on the same disk. */
  readonly directory: string;
  readonly superuserUrl: string;
  /** What the server logs goes there. */
  readonly logFile: string;
  createDatabase(): Promise<TestDatabase>;
  /**
   * Gives it the write-ahead log of one that has been in use and writes into segments that it recycles: a new one makes each segment when it
   * needs it, and fills it with zeros first, which is twice the writing and holds up every commit meanwhile.
   */
  recycleLog(): Promise<void>;
  /** Recycles what was written since the last one, too. */
  checkpoint(): Promise<void>;
  /** Kills it as the kernel would, without warning. */
  kill9(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Leaves the queue as workers and vacuum do: with room in the pages that it has. */
export async function emptyQueue({ admin }: TestDatabase): Promise<void> {
  await admin.query({ text: 'delete from webhook.open_attempt' });
  await admin.query({ text: 'vacuum webhook.open_attempt' });
}

/** Segments of the write-ahead log, of 16 MB each, that a checkpoint leaves for what is written next. */
const recycledSegments = 64;

/** Starts an embedded PostgreSQL that waits for the disk as a real one does. */
export async function startBenchServer(settings: Readonly<Record<string, string>> = {}): Promise<BenchServer> {
  const server = await startTemporaryPostgres({
    shared_buffers: '512MB',
    max_wal_size: '8GB',
    min_wal_size: `${recycledSegments * 16}MB`,
    checkpoint_timeout: '30min',
    // A contender that holds a connection per delivery needs them.
    max_connections: '200',
    ...settings,
  });
  return {
    get pid() {
      return server.pid();
    },
    version: readFileSync(join(server.dataDir, 'PG_VERSION'), 'utf8').trim(),
    directory: dirname(server.dataDir),
    superuserUrl: server.superuserUrl,
    logFile: server.logFile,
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    createDatabase: () => createTestDatabase(server.superuserUrl),
    recycleLog: () =>
      asSuperuser(server.superuserUrl, async (client) => {
        // A switch does nothing where nothing was written since the last one.
        const text = `select pg_logical_emit_message(false, 'bench', ''), pg_switch_wal() from generate_series(1, $1::integer)`;
        await client.query(text, [recycledSegments]);
        await client.query('checkpoint');
      }),
    async checkpoint() {
      await asSuperuser(server.superuserUrl, (client) => client.query('checkpoint'));
    },
    stop: () => server.stop('immediate'),
  };
}
