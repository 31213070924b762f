import { readFileSync } from 'node:fs';
import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { eventually } from '@postrider/testkit/eventually';
import { startApi, startPostrider, startWorker } from '@postrider/testkit/postrider-processes';
import { startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

/** Peak resident memory in MiB, as the kernel counted it. */
function peakMemoryMiB(pid: number): number {
  const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

test('200 payloads of 2 MiB pass through with bounded memory', async () => {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  onTestFinished(() => api.kill('SIGKILL'));
  const receiver = await startCountingReceiver();
  onTestFinished(() => receiver.kill('SIGKILL'));
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, receiver.url);
  // The limit is on the body: the payload is what the rest of it leaves.
  const rest = JSON.stringify(eventOf(setup, { payload: '', payload_content_type: 'text/plain' })).length;
  const event = eventOf(setup, { payload: 'x'.repeat(2 * 1024 * 1024 - rest), payload_content_type: 'text/plain' });

  let sent = 0;
  const send = async (): Promise<void> => {
    while (sent < 200) {
      sent += 1;
      const answer = await setup.client.call('POST', '/api/v1/event', event);
      if (answer.status !== 201) {
        throw new Error(`An event of 2 MiB was answered with ${answer.status}.`);
      }
    }
  };
  await Promise.all(Array.from({ length: 20 }, send));
  const worker = await startWorker({ databaseUrl: database.runtimeUrl, args: ['--concurrent=20'] });
  onTestFinished(() => worker.kill('SIGKILL'));

  await eventually(async () => (await receiver.stats()).distinct === 200, { timeoutMs: 120_000, intervalMs: 200 });
  // All payloads together are 400 MiB, and twice that on their way through a text protocol.
  expect(peakMemoryMiB(api.pid)).toBeLessThan(600);
  expect(peakMemoryMiB(worker.pid)).toBeLessThan(600);
});

test('gives up at the end, and the attempts tell the story row by row', async () => {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  onTestFinished(() => api.kill('SIGKILL'));
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.respond('/', { kind: 'answer', status: 500 });
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, `${receiver.url}/`);
  const worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    args: [
      '--max-fast-retries=2',
      '--fast-retry-delay=50ms',
      '--max-slow-retries=1',
      '--slow-retry-delay=100ms',
      '--slow-retry-max-delay=100ms',
      '--retry-jitter-max=0s',
    ],
  });
  onTestFinished(() => worker.kill('SIGKILL'));

  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));

  const attempts = await eventually(async () => {
    const rows = await setup.client.list(`/api/v1/request_attempts?application_id=${setup.applicationId}`);
    return rows[0]?.['reason'] === 'retries_exhausted' ? rows : undefined;
  });
  expect(attempts.map((row) => [row['retry_count'], row['http_response_status'], row['reason']])).toEqual([
    [3, 500, 'retries_exhausted'],
    [2, 500, null],
    [1, 500, null],
    [0, 500, null],
  ]);
  expect(receiver.requests.map(({ headers }) => headers['x-retry-count'])).toEqual(['0', '1', '2', '3']);
  const metrics = await (await fetch(`${worker.opsUrl}/metrics`)).text();
  expect(metrics).toContain('postrider_worker_deliveries_total{status="retried"} 3');
  expect(metrics).toContain('postrider_worker_delivery_errors_total{error_name="E_HTTP"} 4');
  const queue = await (await fetch(`${api.opsUrl}/metrics`)).text();
  expect(queue).toContain('postrider_queue_open_attempts');
  for (const path of ['/health/live', '/health/ready']) {
    expect((await fetch(`${api.opsUrl}${path}`)).status).toBe(200);
    expect((await fetch(`${worker.opsUrl}${path}`)).status).toBe(200);
  }
});

test('an API with settings that cannot be used ends with 78 and names all of them', async () => {
  const api = startPostrider('api', { databaseUrl: 'nonsense', env: { PORT: '70000', MASTER_API_KEY: 'short', LOG_LEVEL: 'loud' } }, {});
  expect(await api.waitForExit()).toBe(78);
  for (const name of ['DATABASE_URL', 'PORT', 'MASTER_API_KEY', 'LOG_LEVEL']) {
    expect(api.stderr()).toContain(`${name}: got`);
  }
  expect(api.stderr()).not.toContain('short');
});

test('the same 500 event ids in opposite order through two API processes make one event each', async () => {
  const options = { databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } };
  const apis = await Promise.all([startApi(options), startApi(options)]);
  onTestFinished(() => apis.forEach((api) => api.kill('SIGKILL')));
  const [first, second] = apis;
  const setup = await setUpApplication(new ApiClient(first?.url ?? ''));
  const ids = Array.from({ length: 500 }, () => crypto.randomUUID());
  const clients = [
    { client: new ApiClient(first?.url ?? '', setup.secret), order: ids },
    { client: new ApiClient(second?.url ?? '', setup.secret), order: ids.toReversed() },
  ];

  const answers = await Promise.all(
    clients.flatMap(({ client, order }) =>
      order.map((eventId) => client.call('POST', '/api/v1/event', eventOf(setup, { event_id: eventId }))),
    ),
  );

  const statuses = Map.groupBy(answers, ({ status }) => status);
  expect([...statuses].map(([status, of]) => [status, of.length]).toSorted()).toEqual([
    [201, 500],
    [409, 500],
  ]);
});
