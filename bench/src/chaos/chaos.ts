import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { startEmbeddedPostgres } from '@postrider/testkit/embedded-postgres';
import { eventually } from '@postrider/testkit/eventually';
import { startApi, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { provisionDatabase } from '@postrider/testkit/provision-database';
import { withTemporaryDirectory } from '../temporary-directory.ts';

export interface ChaosOptions {
  readonly seconds: number;
  readonly workers: number;
  /** Yields from 0 to below 1: what happens, and when. */
  readonly random: () => number;
  readonly print: (line: string) => void;
}

export interface ChaosResult {
  /** Events whose ingest was answered with success. */
  readonly accepted: number;
  /** Of those, the ones that never arrived: must be none. */
  readonly lost: number;
  /** Requests that arrived again: allowed after a crash, and only then. */
  readonly repeated: number;
  readonly misfortunes: Readonly<Record<string, number>>;
}

/** The shortest lease that a timeout of a second allows, so that crashes are made good soon. */
const workerArgs = [
  '--concurrent=10',
  '--timeout=1s',
  '--connect-timeout=1s',
  '--lease=11s',
  '--fast-retry-delay=200ms',
  '--retry-jitter-max=200ms',
];
const pauseMsMax = 1500;
const settleTimeoutMs = 120_000;

/**
 * Events flow in and out while workers are killed, stopped, replaced in order and the database is killed. Afterwards every event that was
 * accepted must have arrived.
 */
export function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  return withTemporaryDirectory('postrider-chaos-', async (directory) => {
    const server = await startEmbeddedPostgres({
      dataDir: `${directory}/data`,
      logFile: `${directory}/log`,
      superuserPassword: 'postgres',
    });
    const urls = await provisionDatabase({ superuserUrl: server.superuserUrl, database: 'postrider', password: 'postrider' });
    const api = await startApi({ databaseUrl: urls.runtimeUrl, env: { MIGRATION_DATABASE_URL: urls.ownerUrl } });
    const receiver = await startCountingReceiver({ delayMs: 5 });
    const setup = await setUpApplication(new ApiClient(api.url));
    await subscribe(setup, receiver.url);
    const start = (): Promise<WorkerProcess> => startWorker({ databaseUrl: urls.runtimeUrl, args: workerArgs });
    const workers = await Promise.all(Array.from({ length: options.workers }, start));
    const traffic = startTraffic(setup);
    const misfortunes: Record<string, number> = {};
    const endAt = performance.now() + options.seconds * 1000;
    while (performance.now() < endAt) {
      await wait(options.random() * pauseMsMax);
      const name = await strike({ options, workers, start, server });
      misfortunes[name] = (misfortunes[name] ?? 0) + 1;
      options.print(`${name}; accepted so far: ${traffic.accepted()}`);
    }
    await traffic.stop();
    const accepted = traffic.accepted();
    const isSettled = async (): Promise<boolean> => (await receiver.stats()).distinct >= accepted;
    await eventually(isSettled, { timeoutMs: settleTimeoutMs, intervalMs: 200 }).catch(() => false);
    const stats = await receiver.stats();
    for (const managed of [...workers, api, receiver]) {
      managed.kill('SIGKILL');
    }
    await server.stop('immediate');
    return { accepted, lost: Math.max(0, accepted - stats.distinct), repeated: stats.requests - stats.distinct, misfortunes };
  });
}

interface Stage {
  readonly options: ChaosOptions;
  readonly workers: WorkerProcess[];
  readonly start: () => Promise<WorkerProcess>;
  readonly server: { kill9(): Promise<void>; restart(): Promise<void> };
}

/** One thing goes wrong; returns its name. */
async function strike({ options, workers, start, server }: Stage): Promise<string> {
  const index = Math.floor(options.random() * workers.length);
  const victim = workers[index];
  const kind = Math.floor(options.random() * 4);
  if (kind === 0 || !victim) {
    await server.kill9();
    await wait(options.random() * pauseMsMax);
    await server.restart();
    return 'the database was killed and started again';
  }
  if (kind === 1) {
    victim.kill('SIGSTOP');
    await wait(options.random() * pauseMsMax);
    victim.kill('SIGCONT');
    return 'a worker stood still for a while';
  }
  victim.kill(kind === 2 ? 'SIGKILL' : 'SIGTERM');
  await victim.waitForExit();
  workers[index] = await start();
  return kind === 2 ? 'a worker was killed and replaced' : 'a worker was drained and replaced';
}

/** A few clients that send events one after the other, each until it is accepted. */
function startTraffic(setup: ApplicationSetup): { accepted(): number; stop(): Promise<void> } {
  let accepted = 0;
  let stopped = false;
  const send = async (): Promise<void> => {
    while (!stopped) {
      await sendUntilAccepted(setup);
      accepted += 1;
    }
  };
  const senders = Array.from({ length: 4 }, send);
  return {
    accepted: () => accepted,
    async stop() {
      stopped = true;
      await Promise.all(senders);
    },
  };
}

async function sendUntilAccepted(setup: ApplicationSetup): Promise<void> {
  const event = eventOf(setup, { event_id: crypto.randomUUID() });
  for (;;) {
    const answer = await setup.client.call('POST', '/api/v1/event', event).catch(() => null);
    if (answer?.status === 201 || answer?.status === 409) {
      return;
    }
    await wait(50);
  }
}
