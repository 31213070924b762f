import { join } from 'node:path';
import { startEmbeddedPostgres } from '@postrider/testkit/embedded-postgres';
import { provisionDatabase } from '@postrider/testkit/provision-database';

/** The database of a demo. */
export interface DemoDatabase {
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
  readonly description: string;
  stop(): Promise<void>;
}

/** The database of `DATABASE_URL` where one is given, else an embedded PostgreSQL whose data stay for the next start. */
export async function openDemoDatabase(options: {
  readonly givenUrl: string | null;
  readonly directory: string;
  readonly logFile: string;
  readonly password: string;
}): Promise<DemoDatabase> {
  if (options.givenUrl !== null) {
    return {
      ownerUrl: options.givenUrl,
      runtimeUrl: options.givenUrl,
      description: 'the database of DATABASE_URL',
      stop: () => Promise.resolve(),
    };
  }
  const server = await startEmbeddedPostgres({
    dataDir: join(options.directory, 'postgres'),
    logFile: options.logFile,
    superuserPassword: options.password,
    settings: { shared_buffers: '256MB' },
  });
  const urls = await provisionDatabase({ superuserUrl: server.superuserUrl, database: 'postrider', password: options.password });
  return { ...urls, description: `embedded PostgreSQL on port ${server.port}`, stop: () => server.stop() };
}
