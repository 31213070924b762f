import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from '@postrider/testkit/eventually';
import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';

const run = promisify(execFile);
const hasPrlimit = await run('prlimit', ['--version']).then(
  () => true,
  () => false,
);

let database: TestDatabase;
let application: TestApplication;
let receiver: Receiver;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  application = await insertApplication(database.admin);
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await database.drop();
});

async function givenWorker(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
  const worker = await startWorker({ databaseUrl: database.runtimeUrl, args, env });
  onTestFinished(() => worker.kill('SIGKILL'));
  return worker;
}

async function givenBacklog(url: string, count: number): Promise<void> {
  const subscription = await insertSubscription(database.admin, application, { url });
  await insertBacklog(database.admin, application, subscription, { count, payloadBytes: 64 });
}

async function attempts(): Promise<{ status: string; error_name: string | null; retry_count: number; count: number }[]> {
  const { rows } = await database.admin.query<{ status: string; error_name: string | null; retry_count: number; count: number }>({
    text: `select status, error_name, retry_count, count(*)::integer as count
           from webhook.request_attempt group by status, error_name, retry_count order by status, retry_count`,
  });
  return rows;
}

test('subscriptions that share a host do not wait for each other when some of them hang', async () => {
  for (const path of ['/hang-1', '/hang-2', '/hang-3']) {
    receiver.respond(path, { kind: 'hold' });
    await givenBacklog(`${receiver.url}${path}`, 4);
  }
  await givenWorker(['--concurrent=16']);
  await Promise.all(['/hang-1', '/hang-2', '/hang-3'].map((path) => receiver.waitForRequests(1, { path })));

  await givenBacklog(`${receiver.url}/healthy`, 200);

  // The requests that hang do so until they are released, or for 15 s.
  await receiver.waitForRequests(200, { path: '/healthy', timeoutMs: 10_000 });
  receiver.release();
  await eventually(async () => (await attempts()).every(({ status }) => status === 'successful'));
});

test('a redirect to a metadata service, and targets that may not be reached, end as such', async () => {
  const trap = await startReceiver();
  onTestFinished(() => trap.close());
  receiver.respond('/', { kind: 'answer', status: 307, headers: { location: `${trap.url}/latest/meta-data/` } });
  await givenBacklog(`${receiver.url}/`, 1);
  await givenBacklog(trap.url.replace('127.0.0.1', '0x7f.2'), 1);
  await givenBacklog('http://169.254.169.254/latest/meta-data/', 1);
  await givenBacklog('http://[::ffff:a9fe:a9fe]/', 1);

  await givenWorker(['--max-fast-retries=0', '--max-slow-retries=0'], {
    DISABLE_TARGET_IP_CHECK: 'false',
    ALLOWED_TARGET_CIDRS: '127.0.0.1/32',
  });

  const failed = await eventually(async () => {
    const ended = (await attempts()).filter(({ status }) => status === 'failed');
    return ended.reduce((sum, { count }) => sum + count, 0) === 4 && ended;
  });
  expect(failed.map(({ error_name: name, count }) => `${name} ${count}`).toSorted()).toEqual(['E_HTTP 1', 'E_INVALID_TARGET 3']);
  expect(receiver.requests).toHaveLength(1);
  expect(trap.connections()).toBe(0);
});

test.skipIf(!hasPrlimit)(
  'a worker that may open no more files uses up no retry, does not claim in vain, and goes on when it may',
  async () => {
    const worker = await givenWorker(['--concurrent=10', '--max-fast-retries=0', '--max-slow-retries=0']);
    const setFilesMax = (filesMax: number) => run('prlimit', ['--pid', String(worker.pid), `--nofile=${filesMax}:`]);
    await setFilesMax(3);
    await givenBacklog(`${receiver.url}/`, 500);

    // Long enough to go through the whole queue without a pause.
    const faultTimes = (): number[] =>
      worker.logs.filter((line) => line['errorName'] === 'own_fault').map((line) => Date.parse(String(line['time'])));
    await eventually(() => Math.max(...faultTimes()) - Math.min(...faultTimes()) > 3000);
    expect(faultTimes().length).toBeLessThan(250);
    await setFilesMax(1024);

    await eventually(async () => (await attempts()).find(({ status }) => status === 'successful')?.count === 500, { timeoutMs: 60_000 });
    expect((await attempts()).every(({ retry_count: retryCount }) => retryCount === 0)).toBe(true);
  },
);
