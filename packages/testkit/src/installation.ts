import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from './api-client.ts';
import { eventually } from './eventually.ts';
import { type ApiProcess, startApi, startWorker, type WorkerProcess } from './postrider-processes.ts';
import { type Behaviour, type ReceivedRequest, type Receiver, startReceiver } from './receiver.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** An API and workers as processes, and a receiver that does what a test tells it to. */
export interface Installation {
  readonly database: TestDatabase;
  readonly api: ApiProcess;
  readonly receiver: Receiver;
  /** One more worker, with command-line options. */
  addWorker(...args: readonly string[]): Promise<WorkerProcess>;
  /** A subscription of an application of its own, to a path of the receiver, which answers as told; 200 when nothing is. */
  subscribe(options?: SubscribeOptions): Promise<ScriptedSubscription>;
  stop(): Promise<void>;
}

export interface SubscribeOptions {
  readonly answers?: readonly Behaviour[];
  /** Members of the subscription beside its target. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** A subscription, seen through the public API and at its receiver. */
export interface ScriptedSubscription {
  readonly subscriptionId: string;
  readonly setup: ApplicationSetup;
  readonly path: string;
  /** Ingests events, all at a time; returns their ids. */
  send(count?: number): Promise<string[]>;
  /** From here on. */
  respond(...answers: readonly Behaviour[]): void;
  /** What its receiver got, in order. */
  requests(): readonly ReceivedRequest[];
  waitForRequests(count: number): Promise<readonly ReceivedRequest[]>;
  /** As the API shows it. */
  read(): Promise<Record<string, unknown>>;
  /** Waits until the API shows this status; returns the subscription. */
  waitForStatus(status: string): Promise<Record<string, unknown>>;
  /** As the API lists them, the newest first. */
  attempts(): Promise<Record<string, unknown>[]>;
  /** Waits until so many of its attempts are successful. */
  waitForDelivered(count: number): Promise<void>;
}

/** Generous: tests of what happens at all are not tests of how soon. */
const patienceMs = 120_000;

/** Starts an installation on a database of its own, with a worker for each list of options. */
export async function startInstallation(
  superuserUrl: string,
  { workers = [] }: { readonly workers?: readonly (readonly string[])[] } = {},
): Promise<Installation> {
  const database = await createTestDatabase(superuserUrl);
  const databaseUrl = database.runtimeUrl;
  const receiver = await startReceiver();
  const api = await startApi({ databaseUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  const master = new ApiClient(api.url);
  const running: WorkerProcess[] = [];
  let paths = 0;

  async function addWorker(...args: readonly string[]): Promise<WorkerProcess> {
    const worker = await startWorker({ databaseUrl, args });
    running.push(worker);
    return worker;
  }
  await Promise.all(workers.map((args) => addWorker(...args)));

  return {
    database,
    api,
    receiver,
    addWorker,
    async subscribe({ answers, members = {} } = {}) {
      paths += 1;
      const path = `/${paths}`;
      if (answers) {
        receiver.respond(path, ...answers);
      }
      const setup = await setUpApplication(master);
      const { subscriptionId } = await subscribe(setup, receiver.url + path, members);
      return scripted({ receiver, setup, subscriptionId, path });
    },
    async stop() {
      const processes = [...running, api];
      processes.forEach((managed) => managed.kill('SIGKILL'));
      await Promise.all([...processes.map((managed) => managed.waitForExit()), receiver.close()]);
      await database.drop();
    },
  };
}

function scripted(given: {
  readonly receiver: Receiver;
  readonly setup: ApplicationSetup;
  readonly subscriptionId: string;
  readonly path: string;
}): ScriptedSubscription {
  const { receiver, setup, subscriptionId, path } = given;
  const { client, applicationId } = setup;

  const read = (): Promise<Record<string, unknown>> => client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`);
  const attempts = (): Promise<Record<string, unknown>[]> => client.list(`/api/v1/request_attempts?application_id=${applicationId}`);
  return {
    subscriptionId,
    setup,
    path,
    async send(count = 1) {
      const events = await Promise.all(Array.from({ length: count }, () => client.expect('POST', '/api/v1/event', eventOf(setup))));
      return events.map((event) => String(event['event_id']));
    },
    respond: (...answers) => receiver.respond(path, ...answers),
    requests: () => receiver.requests.filter((request) => request.path === path),
    waitForRequests: (count) => receiver.waitForRequests(count, { path, timeoutMs: patienceMs }),
    read,
    waitForStatus: (status) =>
      eventually(
        async () => {
          const subscription = await read();
          return subscription['status'] === status && subscription;
        },
        { timeoutMs: patienceMs, intervalMs: 50 },
      ),
    attempts,
    async waitForDelivered(count) {
      const query = `application_id=${applicationId}&status=successful`;
      await eventually(async () => (await countListed(setup, `/api/v1/request_attempts?${query}`)) >= count, {
        timeoutMs: patienceMs,
        intervalMs: 100,
      });
    },
  };
}

/** Through all pages. */
async function countListed({ client }: ApplicationSetup, path: string): Promise<number> {
  let count = 0;
  for (let next: string | null = path; next !== null; ) {
    const { body, headers } = await client.call('GET', next);
    count += Array.isArray(body) ? body.length : 0;
    const url: string | undefined = /<([^>]+)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    next = url === undefined ? null : new URL(url).pathname + new URL(url).search;
  }
  return count;
}
