import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { freePort } from '@postrider/testkit/free-port';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { startBenchServer } from '../bench-database.ts';

export interface IngestChaosOptions {
  readonly kills: number;
  /** Processes of the API: with more than one, single ones and all of them are killed in turn. */
  readonly processes: number;
  readonly clients: number;
  /** Yields from 0 to below 1: when to kill. */
  readonly random: () => number;
  readonly print: (line: string) => void;
}

export interface IngestChaosResult {
  readonly kills: number;
  /** Events that were answered with success, at their first try or a later one. */
  readonly accepted: number;
  /** Events that were sent again, because it was unknown what had become of them. */
  readonly resent: number;
  /** Of those, the ones that had been stored although no answer came. */
  readonly foundStored: number;
  /** Accepted events that are not in the database: must be none. */
  readonly lost: number;
  /** Events that do not have exactly their attempts: must be none. */
  readonly incomplete: number;
  /** Events that are there more than once: must be none. */
  readonly doubled: number;
}

const subscriptions = 3;
/** A kill comes at some moment within this time of the traffic's going on again. */
const pauseMsMax = 1000;
const retryMs = 20;

/**
 * Kills the API at random moments while clients send events, each with an id of its own and again until it is accepted. No worker runs, so
 * that every attempt is still in the queue when they are counted.
 */
export async function runIngestChaos(options: IngestChaosOptions): Promise<IngestChaosResult> {
  const server = await startBenchServer();
  const database = await createTestDatabase(server.superuserUrl);
  const port = await freePort();
  const start = (): Promise<ApiProcess> =>
    startApi({
      databaseUrl: database.runtimeUrl,
      env: { AUTO_DB_MIGRATION: 'false', PORT: String(port), API_PROCESSES: String(options.processes), DISABLE_API_RATE_LIMITING: 'true' },
    });
  let api = await start();
  const setup = await setUpApplication(new ApiClient(api.url));
  for (let index = 0; index < subscriptions; index += 1) {
    await subscribe(setup, 'http://127.0.0.1:9/');
  }
  const traffic = startTraffic(setup, options.clients);
  for (let kill = 1; kill <= options.kills; kill += 1) {
    await traffic.goesOn();
    await wait(options.random() * pauseMsMax);
    const isAll = options.processes === 1 || kill % 2 === 0;
    if (isAll) {
      api.kill('SIGKILL');
      await api.waitForExit();
      api = await start();
    } else {
      killOneOf(api, options.random);
    }
    options.print(`kill ${kill}: ${isAll ? 'the API' : 'one process of it'}; accepted so far: ${traffic.accepted.size}`);
  }
  await traffic.goesOn();
  await traffic.stop();
  const counts = await count(database, traffic.accepted);
  api.kill('SIGKILL');
  await api.waitForExit();
  await database.drop();
  await server.stop();
  return { kills: options.kills, accepted: traffic.accepted.size, ...traffic.counts(), ...counts };
}

/** By what the supervisor logged: the latest process of each number. */
function killOneOf(api: ApiProcess, random: () => number): void {
  const pids = new Map(
    api.logs.filter(({ event }) => event === 'process.started').map(({ processNumber, pid }) => [Number(processNumber), Number(pid)]),
  );
  const pid = [...pids.values()][Math.floor(random() * pids.size)];
  if (pid === undefined) {
    throw new Error('The API did not log its processes.');
  }
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was killed before and its successor has not started yet.
  }
}

function startTraffic(setup: ApplicationSetup, clients: number) {
  const accepted = new Set<string>();
  let resent = 0;
  let foundStored = 0;
  let stopped = false;

  async function sendUntilAccepted(eventId: string): Promise<void> {
    const event = eventOf(setup, { event_id: eventId });
    for (let tries = 1; ; tries += 1) {
      const answer = await setup.client.call('POST', '/api/v1/event', event).catch(() => null);
      if (answer?.status === 201 || answer?.status === 409) {
        accepted.add(eventId);
        foundStored += answer.status === 409 ? 1 : 0;
        return;
      }
      if (answer && answer.status !== 503) {
        throw new Error(`An event was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
      }
      resent += tries === 1 ? 1 : 0;
      await wait(retryMs);
    }
  }

  const running = Array.from({ length: clients }, async () => {
    while (!stopped) {
      await sendUntilAccepted(crypto.randomUUID());
    }
  });
  return {
    accepted,
    counts: () => ({ resent, foundStored }),
    /** Resolves when more events than clients were accepted from now on. */
    async goesOn(): Promise<void> {
      const before = accepted.size;
      while (accepted.size <= before + clients) {
        await Promise.race([wait(retryMs), Promise.all(running)]);
      }
    },
    async stop(): Promise<void> {
      stopped = true;
      await Promise.all(running);
    },
  };
}

async function count(
  database: TestDatabase,
  accepted: ReadonlySet<string>,
): Promise<Pick<IngestChaosResult, 'lost' | 'incomplete' | 'doubled'>> {
  const { rows } = await database.admin.query<{ event_id: string; events: number; attempts: number; subscriptions: number }>({
    text: `select e.event_id, e.events, count(o.subscription_id)::integer as attempts,
                  count(distinct o.subscription_id)::integer as subscriptions
           from (select event_id, count(*)::integer as events from event.event group by event_id) e
           left join webhook.open_attempt o on o.event_id = e.event_id
           group by e.event_id, e.events`,
  });
  const stored = new Set(rows.map((row) => row.event_id));
  return {
    lost: [...accepted].filter((eventId) => !stored.has(eventId)).length,
    incomplete: rows.filter((row) => row.attempts !== subscriptions || row.subscriptions !== subscriptions).length,
    doubled: rows.filter((row) => row.events !== 1).length,
  };
}
