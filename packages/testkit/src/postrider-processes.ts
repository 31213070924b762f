import { fileURLToPath } from 'node:url';
import { type ManagedProcess, type ProcessOptions, startProcess } from './child-process.ts';

/** Values for installations that live as long as a test. */
export const testSecretsKey = Buffer.alloc(32, 7).toString('base64');
export const testMasterKey = '3f1c2a52-7d5e-4d0e-9b1a-5f0c8f9d2b11';

/** As the container image and compose set them (docs/scaling.md): V8 lets the heap grow to several times of what lives in it otherwise. */
const memoryFlags = {
  api: ['--max-semi-space-size=16', '--heap-growing-percent=100', '--no-parallel-scavenge'],
  worker: ['--max-semi-space-size=8', '--heap-growing-percent=100', '--no-parallel-scavenge', '--no-flush-bytecode'],
} as const;

export interface PostriderOptions {
  readonly databaseUrl: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** The program's file; the one of this checkout otherwise. */
  readonly main?: string;
  /** Flags of Node itself; those of the container image otherwise. */
  readonly nodeFlags?: readonly string[];
  readonly onLine?: ProcessOptions['onLine'];
  readonly detached?: boolean;
}

export interface ApiProcess extends ManagedProcess {
  /** Where it serves, without a final slash. */
  readonly url: string;
  readonly opsUrl: string;
}

export interface WorkerProcess extends ManagedProcess {
  readonly opsUrl: string;
}

/** Starts an API from its built files, on free ports, and waits until it serves. */
export async function startApi(options: PostriderOptions): Promise<ApiProcess> {
  const managed = startPostrider('api', options, { PORT: '0', OPS_PORT: '0', MASTER_API_KEY: testMasterKey });
  const started = await managed.waitForLog((line) => line['event'] === 'api.started');
  return Object.assign(managed, { url: String(started['url']), opsUrl: String(started['opsUrl']) });
}

/** Starts a worker from its built files and waits until it claims. Targets on this machine are allowed. */
export async function startWorker(options: PostriderOptions): Promise<WorkerProcess> {
  const managed = startPostrider('worker', options, { OPS_PORT: '0', DISABLE_TARGET_IP_CHECK: 'true' });
  const started = await managed.waitForLog((line) => line['event'] === 'worker.started');
  return Object.assign(managed, { opsUrl: String(started['opsUrl']) });
}

/** Arguments of a worker whose one subscription may have all of its slots, where it has a quarter of them otherwise. */
export function slotsForOneSubscription(slots: number): string[] {
  return [`--concurrent=${slots}`, `--max-in-flight-per-subscription=${slots}`];
}

/** Starts one of our programs without waiting for anything. There are no rate limits: all that asks here is one machine. */
export function startPostrider(
  name: 'api' | 'worker',
  options: PostriderOptions,
  defaults: Readonly<Record<string, string>>,
): ManagedProcess {
  const main = options.main ?? fileURLToPath(new URL(`../../${name}/dist/main.js`, import.meta.url));
  return startProcess({
    command: process.execPath,
    args: [...(options.nodeFlags ?? memoryFlags[name]), '--enable-source-maps', main, ...(options.args ?? [])],
    env: { DATABASE_URL: options.databaseUrl, SECRETS_KEY: testSecretsKey, DISABLE_API_RATE_LIMITING: 'true', ...defaults, ...options.env },
    detached: options.detached ?? false,
    ...(options.onLine ? { onLine: options.onLine } : {}),
  });
}
