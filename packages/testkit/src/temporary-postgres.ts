import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';

export interface TemporaryPostgres extends EmbeddedPostgres {
  readonly logFile: string;
}

/** An embedded PostgreSQL whose data and log are gone when it has been stopped. `settings` are those of postgresql.conf. */
export async function startTemporaryPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TemporaryPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'postrider-postgres-'));
  const logFile = join(directory, 'postgres.log');
  const server = await startEmbeddedPostgres({
    dataDir: join(directory, 'data'),
    logFile,
    superuserPassword: 'postgres',
    settings,
  });
  return {
    ...server,
    logFile,
    async stop(mode) {
      await server.stop(mode);
      rmSync(directory, { recursive: true, force: true });
      rmSync(server.dataDir, { recursive: true, force: true });
    },
  };
}
