import { createConnection } from 'node:net';
import { startTemporaryPostgres } from './temporary-postgres.ts';

/** A server on which tests make their databases. */
export interface DatabaseServer {
  readonly superuserUrl: string;
  readonly kind: 'given' | 'container' | 'embedded';
  stop(): Promise<void>;
}

const image = 'postgres:18';
/** Tests make their data anew, so that nothing is lost by not waiting for the disk. */
const testSettings = {
  // Statistics that come in the middle of a test change its plans: tests that need some ask for them.
  autovacuum: 'off',
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '256MB',
} as const;

/**
 * The server for a test run: the one of `TEST_DATABASE_URL` where it is set (a role that may create roles and databases), a container
 * where a Docker engine answers, else an embedded PostgreSQL.
 */
export async function startDatabaseServer(env: Readonly<Record<string, string | undefined>>): Promise<DatabaseServer> {
  const given = env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    return { superuserUrl: given, kind: 'given', stop: () => Promise.resolve() };
  }
  if (await dockerAnswers(env)) {
    try {
      return await startContainer();
    } catch (error) {
      // An engine that cannot get the image, without a registry in reach, is as good as none.
      process.stderr.write(
        `no container for the tests (${error instanceof Error ? error.message : String(error)}): using embedded PostgreSQL\n`,
      );
    }
  }
  return startEmbedded();
}

/** Asks the engine's socket: without it the search of testcontainers takes long to fail. */
function dockerAnswers(env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  const host = URL.canParse(env['DOCKER_HOST'] ?? '') ? new URL(env['DOCKER_HOST'] ?? '') : new URL('unix:///var/run/docker.sock');
  const target = host.protocol === 'unix:' ? { path: host.pathname } : { host: host.hostname, port: Number(host.port || 2375) };
  return new Promise((resolve) => {
    const socket = createConnection(target);
    const done = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('error', () => done(false));
    // A proxy without its engine takes the connection and closes it.
    socket.once('close', () => done(false));
    socket.once('data', () => done(true));
    socket.write('GET /_ping HTTP/1.0\r\n\r\n');
  });
}

async function startContainer(): Promise<DatabaseServer> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const settings = Object.entries(testSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withCommand(['postgres', ...settings])
    .withExposedPorts(5432)
    // The server that runs the image's set-up first listens on no port.
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  return {
    superuserUrl: `postgresql://postgres:postgres@${container.getHost()}:${container.getMappedPort(5432)}/postgres`,
    kind: 'container',
    async stop() {
      await container.stop();
    },
  };
}

async function startEmbedded(): Promise<DatabaseServer> {
  const { superuserUrl, stop } = await startTemporaryPostgres(testSettings);
  return { superuserUrl, kind: 'embedded', stop };
}
