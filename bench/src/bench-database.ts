import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@postrider/testkit/embedded-postgres';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';

/** A server with the durability of production, for one benchmark. */
export interface BenchServer {
  /** The process id of its first process. */
  readonly pid: number;
  readonly version: string;
  readonly superuserUrl: string;
  createDatabase(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

/** Starts an embedded PostgreSQL that waits for the disk as a real one does. */
export async function startBenchServer(): Promise<BenchServer> {
  const directory = mkdtempSync(join(tmpdir(), 'postrider-bench-'));
  const server = await startEmbeddedPostgres({
    dataDir: join(directory, 'data'),
    logFile: join(directory, 'postgres.log'),
    superuserPassword: 'postgres',
    // A contender that holds a connection per delivery needs them.
    settings: { shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '30min', max_connections: '200' },
  });
  return {
    pid: server.pid(),
    version: readFileSync(join(server.dataDir, 'PG_VERSION'), 'utf8').trim(),
    superuserUrl: server.superuserUrl,
    createDatabase: () => createTestDatabase(server.superuserUrl),
    async stop() {
      await server.stop('immediate');
      rmSync(directory, { recursive: true, force: true });
      rmSync(server.dataDir, { recursive: true, force: true });
    },
  };
}
