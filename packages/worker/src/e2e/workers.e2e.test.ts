import { createConnection, createServer } from 'node:net';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { eventually } from '@postrider/testkit/eventually';
import {
  insertApplication,
  insertBacklog,
  insertSubscription,
  type TestApplication,
  type TestSubscription,
} from '@postrider/testkit/factories';
import { freePort } from '@postrider/testkit/free-port';
import { slotsForOneSubscription, startPostrider, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';

/** The shortest lease that a timeout of a second allows. */
const shortLease = ['--timeout=1s', '--connect-timeout=1s', '--lease=11s'];

let database: TestDatabase;
let application: TestApplication;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  application = await insertApplication(database.admin);
});
afterEach(() => database.drop());

async function givenWorker(...args: string[]): Promise<WorkerProcess> {
  const worker = await startWorker({ databaseUrl: database.runtimeUrl, args });
  onTestFinished(() => worker.kill('SIGKILL'));
  return worker;
}

async function givenCountingReceiver(delayMs: number) {
  const receiver = await startCountingReceiver({ delayMs });
  onTestFinished(() => receiver.kill('SIGKILL'));
  const subscription = await insertSubscription(database.admin, application, { url: receiver.url });
  return { receiver, subscription };
}

function givenBacklog(subscription: TestSubscription, count: number): Promise<void> {
  return insertBacklog(database.admin, application, subscription, { count, payloadBytes: 64 });
}

async function countAttempts(condition: string): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>({
    text: `select count(*)::integer as count from webhook.request_attempt where ${condition}`,
  });
  return rows[0]?.count ?? 0;
}

test('two workers on one backlog deliver each attempt exactly once', async () => {
  const { receiver, subscription } = await givenCountingReceiver(0);
  await givenBacklog(subscription, 10_000);

  await Promise.all([givenWorker(...slotsForOneSubscription(20)), givenWorker(...slotsForOneSubscription(20))]);

  await eventually(async () => (await countAttempts("status = 'successful'")) === 10_000, { timeoutMs: 120_000, intervalMs: 200 });
  expect(await receiver.stats()).toMatchObject({ requests: 10_000, distinct: 10_000, repeated: [] });
  expect(await countAttempts('true')).toBe(10_000);
});

test('what a killed worker was delivering is delivered by another after the lease', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.respond('/', { kind: 'hang' }, { kind: 'answer', status: 200 });
  const subscription = await insertSubscription(database.admin, application, { url: `${receiver.url}/` });
  await givenBacklog(subscription, 1);
  const killed = await givenWorker(...shortLease);
  await receiver.waitForRequests(1);

  killed.kill('SIGKILL');
  const other = await givenWorker(...shortLease);

  await receiver.waitForRequests(2);
  const expired = await other.waitForLog((line) => line['event'] === 'lease_expired');
  await eventually(async () => (await countAttempts("status = 'successful'")) === 1);
  expect(receiver.requests[1]?.headers['x-attempt-id']).toBe(receiver.requests[0]?.headers['x-attempt-id']);
  expect(expired['requestAttemptId']).toBe(receiver.requests[0]?.headers['x-attempt-id']);
  expect(await countAttempts('true')).toBe(1);
});

test('a worker that was stopped past its lease records nothing for what it had sent and starts none of what it held', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.respond('/', { kind: 'hold' }, { kind: 'answer', status: 200 });
  const subscription = await insertSubscription(database.admin, application, { url: `${receiver.url}/` });
  await givenBacklog(subscription, 30);
  const stopped = await givenWorker('--concurrent=1', ...shortLease);
  await receiver.waitForRequests(1);
  stopped.kill('SIGSTOP');
  onTestFinished(() => stopped.kill('SIGCONT'));

  await givenWorker('--concurrent=5', ...shortLease);
  await eventually(async () => (await countAttempts("status = 'successful'")) === 30, { timeoutMs: 60_000 });
  const requestsBefore = receiver.requests.length;
  stopped.kill('SIGCONT');

  await stopped.waitForLog((line) => line['event'] === 'lease_lost');
  stopped.kill('SIGTERM');
  expect(await stopped.waitForExit()).toBe(0);
  expect(receiver.requests).toHaveLength(requestsBefore);
  const seen = Map.groupBy(receiver.requests, (request) => request.headers['x-attempt-id']);
  expect([...seen.values()].filter((requests) => requests.length > 1).map(([first]) => first)).toEqual([receiver.requests[0]]);
  expect(await countAttempts('true')).toBe(30);
});

test('SIGTERM under load: requests in flight finish, the rest goes back at once, nothing is delivered twice', async () => {
  const { receiver, subscription } = await givenCountingReceiver(300);
  await givenBacklog(subscription, 300);
  const first = await givenWorker('--concurrent=10');
  await eventually(async () => (await receiver.stats()).requests >= 20);

  first.kill('SIGTERM');
  expect(await first.waitForExit()).toBe(0);
  const leasedAfterExit = await countAttempts("status = 'in_progress'");
  await givenWorker('--concurrent=100');

  await eventually(async () => (await countAttempts("status = 'successful'")) === 300, { timeoutMs: 60_000 });
  expect(leasedAfterExit).toBe(0);
  expect(await receiver.stats()).toMatchObject({ requests: 300, distinct: 300, repeated: [] });
  expect(first.logs.some((line) => line['event'] === 'attempts.released')).toBe(true);
});

test('a private worker serves what is dedicated to it and nothing else', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const publicSubscription = await insertSubscription(database.admin, application, { url: `${receiver.url}/public` });
  const privateSubscription = await insertSubscription(database.admin, application, { url: `${receiver.url}/private` });
  await database.admin.query({
    text: `with worker as (insert into webhook.worker (worker_id, name, public) values (gen_random_uuid(), 'inside', false) returning worker_id),
           pool as (insert into webhook.worker_pool (worker_ids) select array[worker_id] from worker returning pool_id)
           update webhook.subscription set pool_id = (select pool_id from pool) where subscription_id = $1`,
    values: [privateSubscription.subscriptionId],
  });
  await givenBacklog(publicSubscription, 3);
  await givenBacklog(privateSubscription, 3);
  await database.admin.query({
    text: 'update webhook.open_attempt a set pool_id = s.pool_id from webhook.subscription s where s.subscription_id = a.subscription_id',
  });

  await givenWorker('--worker-name=inside');
  await receiver.waitForRequests(3);
  await eventually(async () => (await countAttempts("status = 'successful'")) === 3);
  expect(receiver.requests.map(({ path }) => path)).toEqual(['/private', '/private', '/private']);
  await givenWorker('--worker-name=anybody');
  await receiver.waitForRequests(6);
  expect(receiver.requests.slice(3).map(({ path }) => path)).toEqual(['/public', '/public', '/public']);
});

test('a missing partition of the log is made on the spot, and nothing is delivered twice', async () => {
  const { receiver, subscription } = await givenCountingReceiver(0);
  await givenBacklog(subscription, 200);
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  await database.admin.query({ text: `drop table webhook.finished_attempt_${today}` });

  await givenWorker('--concurrent=20');

  await eventually(async () => (await countAttempts("status = 'successful'")) === 200);
  expect(await receiver.stats()).toMatchObject({ requests: 200, distinct: 200, repeated: [] });
});

test('a worker that starts before its database waits for it', async () => {
  const { subscription, receiver } = await givenCountingReceiver(0);
  await givenBacklog(subscription, 1);
  const port = await freePort();
  const url = new URL(database.runtimeUrl);
  const upstream = { host: url.hostname, port: Number(url.port) };
  url.host = `127.0.0.1:${port}`;
  const worker = startPostrider('worker', { databaseUrl: url.href }, { OPS_PORT: '0', DISABLE_TARGET_IP_CHECK: 'true' });
  onTestFinished(() => worker.kill('SIGKILL'));
  await worker.waitForLog((line) => line['event'] === 'database.unreachable');

  const proxy = createServer((socket) => {
    const server = createConnection(upstream);
    socket.pipe(server).pipe(socket);
    socket.on('error', () => server.destroy());
    server.on('error', () => socket.destroy());
  }).listen(port, '127.0.0.1');
  onTestFinished(() => void proxy.close());

  await eventually(async () => (await receiver.stats()).requests === 1);
});

test('410 disables the subscription', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  receiver.respond('/', { kind: 'answer', status: 410 });
  const subscription = await insertSubscription(database.admin, application, { url: `${receiver.url}/` });
  await givenBacklog(subscription, 1);

  await givenWorker();

  await eventually(async () => (await countAttempts("status = 'failed' and reason = 'gone'")) === 1);
  await eventually(async () => {
    const { rows } = await database.admin.query<{ disabled_reason: string }>({ text: 'select disabled_reason from webhook.subscription' });
    return rows[0]?.disabled_reason === 'gone';
  });
});

test('refuses settings with exit code 78 and names all problems', async () => {
  const worker = await startWorker({
    databaseUrl: 'mysql://nowhere',
    args: ['--concurrent=0', '--timeout=soon', '--enabled-signature-versions=v9'],
  }).catch((error: unknown) => error);
  expect(String(worker)).toContain('ended with 78');
  for (const name of ['DATABASE_URL', 'CONCURRENT', 'TIMEOUT', 'ENABLED_SIGNATURE_VERSIONS']) {
    expect(String(worker)).toContain(`${name}: got`);
  }
});
