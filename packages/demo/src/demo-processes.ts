import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ManagedProcess } from '@postrider/testkit/child-process';
import { freePort } from '@postrider/testkit/free-port';
import { type ApiProcess, startApi, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import type { DemoDatabase } from './demo-database.ts';
import type { SavedKeys } from './saved-keys.ts';

export interface DemoProcessesOptions {
  readonly database: DemoDatabase;
  readonly keys: SavedKeys;
  readonly logsDirectory: string;
}

const defaultPorts = { api: 8081, apiOps: 9081, workerOps: 8082 } as const;
const stopTimeoutMs = 40_000;

/** Starts an API that logs into a file. Ports that are taken are replaced by free ones, here and below. */
export async function startDemoApi(options: DemoProcessesOptions): Promise<ApiProcess> {
  const { database, keys } = options;
  return startApi({
    databaseUrl: database.runtimeUrl,
    detached: true,
    onLine: logTo(options, 'api'),
    env: {
      SECRETS_KEY: keys.secrets_key,
      MASTER_API_KEY: keys.master_api_key,
      MIGRATION_DATABASE_URL: database.ownerUrl,
      PORT: await portNear(defaultPorts.api),
      OPS_PORT: await portNear(defaultPorts.apiOps),
    },
  });
}

/** Starts a worker that logs into a file. */
export async function startDemoWorker(options: DemoProcessesOptions, number: number): Promise<WorkerProcess> {
  return startWorker({
    databaseUrl: options.database.runtimeUrl,
    detached: true,
    onLine: logTo(options, `worker-${number}`),
    args: [`--worker-name=demo-${number}`, '--concurrent=20', '--fast-retry-delay=500ms', '--retry-jitter-max=500ms'],
    env: {
      SECRETS_KEY: options.keys.secrets_key,
      // The receivers of the demo live on this machine, which workers refuse otherwise.
      DISABLE_TARGET_IP_CHECK: 'false',
      ALLOWED_TARGET_CIDRS: '127.0.0.0/8',
      OPS_PORT: await portNear(defaultPorts.workerOps + number - 1),
    },
  });
}

/** Lets a process drain and end. */
export async function endProcess(managed: ManagedProcess): Promise<void> {
  managed.kill('SIGTERM');
  await managed.waitForExit(stopTimeoutMs);
}

function logTo({ logsDirectory }: DemoProcessesOptions, name: string): (line: string) => void {
  const file = createWriteStream(join(logsDirectory, `${name}.log`), { flags: 'a' });
  return (line) => void file.write(`${line}\n`);
}

/** The port itself, or a free one where it is taken. */
export async function portNear(port: number): Promise<string> {
  const isFree = await new Promise<boolean>((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  return String(isFree ? port : await freePort());
}
