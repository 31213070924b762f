import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { ApiClient, eventOf, setUpApplication } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { freePort } from '@postrider/testkit/free-port';
import { type ApiProcess, startApi, startPostrider } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

async function givenApi(processes: number): Promise<ApiProcess> {
  const api = await startApi({
    databaseUrl: database.runtimeUrl,
    env: { API_PROCESSES: String(processes), MIGRATION_DATABASE_URL: database.ownerUrl, DISABLE_API_RATE_LIMITING: 'true' },
  });
  onTestFinished(() => api.kill('SIGKILL'));
  return api;
}

/** The pids that the supervisor started, by number; the latest of each. */
function pidsOf(api: ApiProcess): Map<number, number> {
  return new Map(
    api.logs.filter(({ event }) => event === 'process.started').map(({ processNumber, pid }) => [Number(processNumber), Number(pid)]),
  );
}

function killProcess(api: ApiProcess, processNumber: number): void {
  const pid = pidsOf(api).get(processNumber);
  if (pid === undefined) {
    throw new Error(`No process ${processNumber} was started.`);
  }
  process.kill(pid, 'SIGKILL');
}

/** Not even as a zombie that its new parent has not noticed yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function readiness(api: ApiProcess) {
  const answer = await fetch(`${api.opsUrl}/health/ready`);
  return { status: answer.status, body: await answer.json() };
}

async function metric(api: ApiProcess, name: string): Promise<number> {
  const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `) || candidate.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1));
}

test('several processes share the port, one keeps house, and the ops port speaks for all', async () => {
  const api = await givenApi(2);
  const setup = await setUpApplication(new ApiClient(api.url));
  // Connections go round, so that each process gets some.
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => setup.client.call('POST', '/api/v1/event', eventOf(setup), { connection: 'close' })),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));

  expect(await readiness(api)).toMatchObject({
    status: 200,
    body: { ready: true, draining: false, processes: [{ processNumber: 1, ready: true, database: true }, { processNumber: 2 }] },
  });
  expect(await metric(api, 'postrider_api_ingest_events_total')).toBe(40);
  expect(await metric(api, 'postrider_api_processes')).toBe(2);
  expect(api.logs.filter(({ event }) => event === 'database.migrated')).toHaveLength(1);
  expect(
    api.logs
      .filter(({ event }) => event === 'api.serving')
      .map(({ processNumber }) => processNumber)
      .toSorted(),
  ).toEqual([1, 2]);

  api.kill('SIGTERM');
  expect(await api.waitForExit()).toBe(0);
  expect([...pidsOf(api).values()].some(isRunning)).toBe(false);
});

test('a process that dies is replaced, later each time, and the sums go on', async () => {
  const api = await givenApi(2);
  const setup = await setUpApplication(new ApiClient(api.url));
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  await eventually(async () => (await metric(api, 'postrider_api_ingest_events_total')) === 1);
  for (const deaths of [1, 2, 3]) {
    for (const processNumber of [1, 2]) {
      killProcess(api, processNumber);
      await eventually(async () => (await metric(api, 'postrider_api_process_restarts_total')) === 2 * (deaths - 1) + processNumber);
      await eventually(async () => (await readiness(api)).status === 200);
    }
  }
  const delays = api.logs
    .filter(({ event, processNumber }) => event === 'process.ended' && processNumber === 1)
    .map(({ delayMs }) => delayMs);
  expect(delays).toEqual([100, 200, 400]);
  expect(await metric(api, 'postrider_api_ingest_events_total')).toBe(1);
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  expect(await metric(api, 'postrider_api_ingest_events_total')).toBe(2);
});

test('a connection on its way to a process that dies ends', async () => {
  const api = await givenApi(2);
  process.kill(pidsOf(api).get(1) ?? 0, 'SIGSTOP');
  // Each process has one on its way at a time, so that one of them waits for the process that stands still, and the others are answered.
  let answered = 0;
  const requests = Array.from({ length: 4 }, async () => {
    await fetch(`${api.url}/api/v1/instance`);
    answered += 1;
  });
  const ends = Promise.allSettled(requests);
  await eventually(() => answered === 3);

  killProcess(api, 1);

  const failures = (await ends).filter(({ status }) => status === 'rejected');
  expect(failures).toEqual([expect.objectContaining({ reason: expect.objectContaining({ message: 'fetch failed' }) })]);
  await eventually(() => pidsOf(api).size === 2 && api.logs.filter(({ event }) => event === 'process.started').length === 3);
});

test('SIGTERM lets all processes finish what is under way, at once for busy clients, too', async () => {
  const api = await givenApi(2);
  const setup = await setUpApplication(new ApiClient(api.url));
  const counts = { answered: 0, otherwise: 0 };
  let farewells = 0;
  const clients = Array.from({ length: 16 }, async () => {
    for (;;) {
      // Null when there is no connection any more.
      const answer = await setup.client.call('POST', '/api/v1/event', eventOf(setup)).catch(() => null);
      if (answer === null) {
        return;
      }
      counts[answer.status === 201 ? 'answered' : 'otherwise'] += 1;
      farewells += answer.headers.get('connection') === 'close' ? 1 : 0;
    }
  });
  await eventually(() => counts.answered > 200);
  const startedAt = performance.now();
  api.kill('SIGTERM');
  expect(await api.waitForExit()).toBe(0);
  const tookMs = performance.now() - startedAt;
  await Promise.all(clients);

  const { rows } = await database.admin.query<{ count: number }>({
    text: 'select count(*)::integer as count from event.event where application_id = $1',
    values: [setup.applicationId],
  });
  // Whatever was worked on was answered.
  expect(counts).toEqual({ answered: rows[0]?.count, otherwise: 0 });
  expect(farewells).toBeGreaterThan(0);
  // The deadline is 25 s: nobody is waited for that only goes on sending.
  expect(tookMs).toBeLessThan(15_000);
});

test('a second signal ends all processes at once', async () => {
  const api = await givenApi(2);
  const pids = [...pidsOf(api).values()];
  // Frozen, so that they do not drain.
  pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  api.kill('SIGTERM');
  await api.waitForLog(({ event }) => event === 'shutdown.started');
  api.kill('SIGTERM');
  expect(await api.waitForExit()).toBe(1);
  await eventually(() => !pids.some(isRunning));
});

test('a supervisor that is killed takes its processes along', async () => {
  const api = await givenApi(2);
  const pids = [...pidsOf(api).values()];
  api.kill('SIGKILL');
  await eventually(() => !pids.some(isRunning));
});

test('a port that is taken ends all of them', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const api = startPostrider(
    'api',
    { databaseUrl: database.runtimeUrl, env: { API_PROCESSES: '2', PORT: String(port), OPS_PORT: '0', AUTO_DB_MIGRATION: 'false' } },
    {},
  );
  expect(await api.waitForExit()).toBe(1);
});

test('a single process has no supervisor', async () => {
  const api = await givenApi(1);
  expect(api.logs.some(({ event }) => event === 'process.started')).toBe(false);
  expect(api.logs.every((line) => line['processNumber'] === undefined)).toBe(true);
  expect(await readiness(api)).toMatchObject({ status: 200, body: { ready: true, database: true } });
});
