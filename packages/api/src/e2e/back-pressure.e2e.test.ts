import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { concurrentGroupsMax } from '@postrider/shared/domain/ingest-groups';
import { ingestGroupEventsMax } from '@postrider/shared/domain/limits';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startTemporaryPostgres } from '@postrider/testkit/temporary-postgres';
import { eventually } from '@postrider/testkit/eventually';
import { insertBacklog } from '@postrider/testkit/factories';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import { provisionDatabase } from '@postrider/testkit/provision-database';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { expect, inject, onTestFinished, test } from 'vitest';

async function givenDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase(inject('superuserUrl'));
  onTestFinished(() => database.drop());
  return database;
}

async function givenApi(databaseUrl: string, env: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const api = await startApi({ databaseUrl, env: { DISABLE_API_RATE_LIMITING: 'true', ...env } });
  onTestFinished(() => api.kill('SIGKILL'));
  return api;
}

interface Answered {
  readonly eventId: string;
  readonly status: number;
  readonly tookMs: number;
  /** Of an answer that is not 201: what it tells its client to do. */
  readonly advice: string | null;
}

/** Clients that go on sending new events whatever the answer is, until they are stopped: at the end of a test that fails, too. */
function startLoad(setup: ApplicationSetup, clients: number) {
  const answered: Answered[] = [];
  let goesOn = true;
  const running = Array.from({ length: clients }, async () => {
    while (goesOn) {
      const eventId = crypto.randomUUID();
      const startedAt = performance.now();
      const { status, headers, body } = await setup.client.call('POST', '/api/v1/event', eventOf(setup, { event_id: eventId }));
      const advice = status === 201 ? null : `${Object(body).id}, after ${headers.get('retry-after')} s`;
      answered.push({ eventId, status, tookMs: performance.now() - startedAt, advice });
      if (status === 503) {
        // Less patient than it should be, so that much is refused.
        await wait(20);
      }
    }
  });
  const stop = async (): Promise<void> => {
    goesOn = false;
    await Promise.all(running);
  };
  onTestFinished(stop);
  return { answered, count: (status: number) => answered.filter((answer) => answer.status === status).length, stop };
}

async function refusals(api: ApiProcess, reason: string): Promise<number> {
  const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
  return Number(new RegExp(`postrider_api_ingest_refusals_total\\{reason="${reason}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
}

/** Peak resident memory in MiB, as the kernel counted it. */
function peakMemoryMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

test('a database that is away under load: clear refusals, bounded memory, recovery by itself, nothing acknowledged lost', async () => {
  const server = await startTemporaryPostgres();
  onTestFinished(() => server.stop('immediate'));
  const { ownerUrl, runtimeUrl } = await provisionDatabase({
    superuserUrl: server.superuserUrl,
    database: 'postrider',
    password: 'postrider',
  });
  const api = await givenApi(runtimeUrl, { MIGRATION_DATABASE_URL: ownerUrl });
  const setup = await setUpApplication(new ApiClient(api.url));
  const load = startLoad(setup, 32);
  await eventually(() => load.count(201) > 200);

  await server.kill9();
  const refusedBefore = load.count(503);
  await wait(6000);
  await eventually(() => load.count(503) > refusedBefore + 100);
  await server.restart();
  const acceptedBefore = load.count(201);
  await eventually(() => load.count(201) > acceptedBefore + 200, { timeoutMs: 60_000 });
  await load.stop();

  expect(new Set(load.answered.map(({ advice }) => advice))).toEqual(new Set([null, 'ServiceUnavailable, after 5 s']));
  expect(Math.max(...load.answered.map(({ tookMs }) => tookMs))).toBeLessThan(30_000);
  expect(peakMemoryMiB(api.pid)).toBeLessThan(400);
  const superuserUrl = new URL(server.superuserUrl);
  superuserUrl.pathname = '/postrider';
  const pool = openTestPool(superuserUrl.href, 1);
  const { rows } = await pool.query<{ event_id: string }>({ text: 'select event_id from event.event' });
  await pool.end();
  const stored = new Set(rows.map((row) => row.event_id));
  expect(load.answered.filter(({ status, eventId }) => status === 201 && !stored.has(eventId))).toEqual([]);
});

test('a database that slows down: refusals come early, what was taken is written, and it goes on by itself', async () => {
  const database = await givenDatabase();
  const api = await givenApi(database.runtimeUrl, { AUTO_DB_MIGRATION: 'false', INGEST_WAIT_LIMIT: '500ms' });
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, 'http://127.0.0.1:9/');
  // More than the groups that stand still can hold: what they hold is not refused, since it may be written yet.
  const load = startLoad(setup, concurrentGroupsMax * ingestGroupEventsMax + 200);
  await eventually(() => load.count(201) > 600, { timeoutMs: 60_000 });

  await database.admin.transaction(async (transaction) => {
    await transaction.query({ text: 'lock table event.event_key in exclusive mode' });
    const refusedBefore = load.count(503);
    // Nothing is written meanwhile, and most clients hear so long before anything times out.
    await eventually(() => load.count(503) > refusedBefore + 600);
  });
  const acceptedBefore = load.count(201);
  await eventually(() => load.count(201) > acceptedBefore + 1200, { timeoutMs: 60_000 });
  await load.stop();

  expect(new Set(load.answered.map(({ advice }) => advice))).toEqual(new Set([null, 'ServiceUnavailable, after 5 s']));
  expect(await refusals(api, 'slow_database')).toBeGreaterThan(0);
  expect((await refusals(api, 'slow_database')) + (await refusals(api, 'waited_too_long'))).toBe(load.count(503));
  const { rows } = await database.admin.query<{ events: number; attempts: number }>({
    text: `select (select count(*)::integer from event.event) as events, (select count(*)::integer from webhook.open_attempt) as attempts`,
  });
  expect(rows).toEqual([{ events: load.count(201), attempts: load.count(201) }]);
});

test('deliveries that lag too far behind close ingest only where a limit is set, and only while they lag', async () => {
  const database = await givenDatabase();
  const [unlimited, limited] = await Promise.all([
    givenApi(database.runtimeUrl, { AUTO_DB_MIGRATION: 'false' }),
    givenApi(database.runtimeUrl, { AUTO_DB_MIGRATION: 'false', INGEST_BACKLOG_AGE_LIMIT: '1m' }),
  ]);
  const setup = await setUpApplication(new ApiClient(limited.url));
  const { subscriptionId, secret } = await subscribe(setup, 'http://127.0.0.1:9/');
  const application = { ...setup, eventTypeName: setup.eventType };
  const post = async (api: ApiProcess) => (await new ApiClient(api.url, setup.secret).call('POST', '/api/v1/event', eventOf(setup))).status;
  const makeOld = () =>
    database.admin.query({ text: "update webhook.open_attempt set due_at = statement_timestamp() - interval '2 minutes'" });

  await insertBacklog(database.admin, application, { subscriptionId, secret }, { count: 1, payloadBytes: 64, dueInMs: 0 });
  await makeOld();
  await eventually(async () => (await post(limited)) === 503);
  expect(await refusals(limited, 'backlog')).toBeGreaterThan(0);
  expect(await post(unlimited)).toBe(201);

  // What is parked waits for its own receiver, not for workers.
  await database.admin.query({ text: 'update webhook.open_attempt set lane = 1' });
  await eventually(async () => (await post(limited)) === 201);
});
