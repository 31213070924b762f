import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient } from '@postrider/testkit/api-client';
import { Event, Hook0Client } from 'hook0-client';
import { openDemoDatabase } from './demo-database.ts';
import { endProcess, portNear, startDemoApi, startDemoWorker } from './demo-processes.ts';
import { startDemoReceiver } from './demo-receiver.ts';
import { type GithubPayload, githubPayloads } from './github-payloads.ts';
import { demoSubscriptions, type Installation, setUpInstallation, subscriptionsOf } from './installation.ts';
import { Progress } from './progress.ts';
import { loadKeys } from './saved-keys.ts';
import { endStaleProcesses, rememberProcesses } from './stale-processes.ts';

export interface DemoOptions {
  /** Where everything is kept between starts. */
  readonly directory: string;
  /** A database of the user's own; null for the embedded one. */
  readonly databaseUrl: string | null;
  readonly print: (line: string) => void;
  /** Shows the state of things, in place of what it showed before where that is possible. */
  readonly showProgress: (line: string) => void;
}

/** What a program needs to try the demo's installation. */
export interface DemoDescription {
  readonly api_url: string;
  readonly master_api_key: string;
  readonly organization_id: string;
  readonly application_id: string;
  readonly application_secret: string;
  readonly event_type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly receiver_url: string;
  readonly database_url: string;
}

export interface Demo {
  readonly description: DemoDescription;
  readonly opsUrls: readonly string[];
  readonly logsDirectory: string;
  /** Sends all payloads and resolves when each has arrived at each of its receivers; rejects with the reason when they do not. */
  deliverPayloads(timeoutMs: number): Promise<void>;
  /** Drains and stops everything that was started. */
  stop(): Promise<void>;
}

const defaultReceiverPort = 8090;
const sendsAtOnce = 20;
const progressEveryMs = 500;

/** Brings the whole product up on this machine. What was started is stopped again when a step fails. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const { directory, print } = options;
  const logsDirectory = join(directory, 'logs');
  const pidsFile = join(directory, 'processes.json');
  mkdirSync(logsDirectory, { recursive: true });
  endStaleProcesses(pidsFile);
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) {
      await close();
    }
  };
  try {
    const keys = loadKeys(join(directory, 'keys.json'));
    const database = await openDemoDatabase({
      givenUrl: options.databaseUrl,
      directory,
      logFile: join(logsDirectory, 'postgres.log'),
      password: keys.database_password,
    });
    closers.push(database.stop);
    print(`database   ${database.description}`);
    const progress = new Progress(() => performance.now());
    const receiver = await startDemoReceiver({
      port: Number(await portNear(defaultReceiverPort)),
      failuresOf: (path) => demoSubscriptions.find((subscription) => subscription.path === path)?.failures ?? 0,
      onArrival: (arrival) => progress.arrive(arrival),
    });
    closers.push(receiver.close);
    const processOptions = { database, keys, logsDirectory };
    const api = await startDemoApi(processOptions);
    closers.push(() => endProcess(api));
    print(`api        ${api.url}`);
    const payloads = githubPayloads();
    const apiUrl = `${api.url}/api/v1`;
    // Before workers start: subscriptions of an earlier start are removed, and what they left undelivered with them.
    const installation = await setUpInstallation({
      master: new ApiClient(api.url, keys.master_api_key),
      apiUrl,
      organizationId: keys.organization_id,
      receiverUrl: receiver.url,
      eventTypes: [...new Set(payloads.map(({ eventType }) => eventType))],
    });
    installation.secrets.forEach((secrets, path) => receiver.trust(path, secrets));
    const workers = await Promise.all([1, 2].map((number) => startDemoWorker(processOptions, number)));
    closers.push(async () => void (await Promise.all(workers.map(endProcess))));
    const processes = [api, ...workers];
    rememberProcesses(pidsFile, processes);
    print(`workers    ${workers.length}, allowed to reach 127.0.0.0/8 for this demo (refused elsewhere)`);
    const description = describe(installation, {
      apiUrl,
      masterApiKey: keys.master_api_key,
      receiverUrl: receiver.url,
      databaseUrl: database.runtimeUrl,
    });
    writeFileSync(join(directory, 'demo.json'), `${JSON.stringify(description, null, 2)}\n`, { mode: 0o600 });
    return {
      description,
      opsUrls: processes.map(({ opsUrl }) => opsUrl),
      logsDirectory,
      deliverPayloads: (timeoutMs) => deliverPayloads(options, { apiUrl, installation, payloads, progress, timeoutMs }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function describe(
  installation: Installation,
  urls: { readonly apiUrl: string; readonly masterApiKey: string; readonly receiverUrl: string; readonly databaseUrl: string },
): DemoDescription {
  const [everything] = demoSubscriptions;
  return {
    api_url: urls.apiUrl,
    master_api_key: urls.masterApiKey,
    organization_id: installation.organizationId,
    application_id: installation.applicationId,
    application_secret: installation.applicationSecret,
    event_type: 'github.push.received',
    labels: everything?.labels ?? {},
    receiver_url: `${urls.receiverUrl}${everything?.path ?? ''}`,
    database_url: urls.databaseUrl,
  };
}

interface Delivery {
  readonly apiUrl: string;
  readonly installation: Installation;
  readonly payloads: readonly GithubPayload[];
  readonly progress: Progress;
  readonly timeoutMs: number;
}

async function deliverPayloads(options: DemoOptions, delivery: Delivery): Promise<void> {
  const { progress, payloads } = delivery;
  const timer = setInterval(() => options.showProgress(progress.line()), progressEveryMs);
  try {
    await sendAll(delivery);
    const giveUpAt = performance.now() + delivery.timeoutMs;
    while (progress.waiting > 0 && performance.now() < giveUpAt) {
      await wait(20);
    }
  } finally {
    clearInterval(timer);
    options.showProgress(progress.line());
    options.print('');
  }
  if (progress.waiting > 0 || progress.unverified > 0 || progress.ingested !== payloads.length) {
    throw new Error(
      `${payloads.length - progress.ingested} of ${payloads.length} payloads were not ingested, ${progress.waiting} deliveries did not arrive, ` +
        `${progress.unverified} webhooks had a wrong signature.`,
    );
  }
}

/** Sends through Hook0's public client, some at a time, as an application under load would. */
async function sendAll({ apiUrl, installation, payloads, progress }: Delivery): Promise<void> {
  const client = new Hook0Client(apiUrl, installation.applicationId, installation.applicationSecret);
  const queue = [...payloads];
  const send = async (): Promise<void> => {
    for (let payload = queue.shift(); payload; payload = queue.shift()) {
      const sentAt = performance.now();
      const eventId = await client.sendEvent(new Event(payload.eventType, payload.payload, 'application/json', { ...payload.labels }));
      progress.expect(
        eventId,
        subscriptionsOf(payload).map(({ path }) => path),
        sentAt,
      );
    }
  };
  await Promise.all(Array.from({ length: sendsAtOnce }, send));
}
