import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { eventually } from '@postrider/testkit/eventually';
import { insertBacklog } from '@postrider/testkit/factories';
import {
  type ApiProcess,
  slotsForOneSubscription,
  startApi,
  startWorker,
  type WorkerProcess,
} from '@postrider/testkit/postrider-processes';
import { type ReceivedRequest, type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { verifyWebhookSignature } from 'hook0-client';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';

let database: TestDatabase;
let api: ApiProcess;
let worker: WorkerProcess;
let receiver: Receiver;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    args: [...slotsForOneSubscription(20), '--fast-retry-delay=4m', '--retry-jitter-max=0s'],
  });
});
beforeEach(async () => {
  setup = await setUpApplication(new ApiClient(api.url));
});
afterAll(async () => {
  worker.kill('SIGTERM');
  api.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), api.waitForExit(), receiver.close()]);
  await database.drop();
});

function act(subscriptionId: string, action: string, body?: unknown): Promise<Record<string, unknown>> {
  return setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/${action}`, body);
}

async function attemptsOf(subscriptionId: string): Promise<Record<string, unknown>[]> {
  return setup.client.list(`/api/v1/request_attempts?application_id=${setup.applicationId}&subscription_id=${subscriptionId}`);
}

async function count(table: 'open_attempt' | 'finished_attempt', subscriptionId: string, condition = 'true'): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>({
    text: `select count(*)::integer as count from webhook.${table} where subscription_id = $1 and ${condition}`,
    values: [subscriptionId],
  });
  return rows[0]?.count ?? 0;
}

/** Has an event delivered to a subscription that is not paused: the worker has looked at the queue since. */
async function deliverElsewhere(path: string): Promise<void> {
  await subscribe(setup, `${receiver.url}${path}`, { labels: { fence: path } });
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup, { labels: { fence: path } }));
  await receiver.waitForRequests(1, { path });
}

test('a pause in the middle of 10,000 attempts holds them within the promise, and resuming delivers all of them once', async () => {
  const total = 10_000;
  const counting = await startCountingReceiver({ delayMs: 10 });
  onTestFinished(() => counting.kill('SIGKILL'));
  const { subscriptionId, secret } = await subscribe(setup, counting.url);
  const application = { ...setup, eventTypeName: setup.eventType };
  await insertBacklog(database.admin, application, { subscriptionId, secret }, { count: total, payloadBytes: 64 });
  await eventually(async () => (await counting.stats()).requests >= 200);

  const askedAtMs = Date.now();
  await act(subscriptionId, 'pause');
  const pausedAtMs = Date.now();
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  await eventually(async () => (await count('open_attempt', subscriptionId, 'lane = 0')) === 0);
  const held = await counting.stats();
  await deliverElsewhere('/fence');

  // The call answers at once whatever the backlog, and nothing is started a second later: ten times as much is allowed here.
  expect(pausedAtMs - askedAtMs).toBeLessThan(10_000);
  expect(held.lastAtMs - pausedAtMs).toBeLessThan(10_000);
  expect(held.requests).toBeLessThan(total);
  expect(await counting.stats()).toMatchObject({ requests: held.requests });
  expect(await count('open_attempt', subscriptionId)).toBe(total + 1 - held.requests);

  await act(subscriptionId, 'resume');
  await eventually(async () => (await count('finished_attempt', subscriptionId, 'succeeded_at is not null')) === total + 1, {
    timeoutMs: 120_000,
    intervalMs: 200,
  });
  expect(await counting.stats()).toMatchObject({ requests: total + 1, distinct: total + 1, repeated: [] });
  expect(await count('open_attempt', subscriptionId)).toBe(0);
});

test('attempts that somebody who had not seen the pause put into the queue are passed over and parked', async () => {
  const path = '/late';
  const { subscriptionId, secret } = await subscribe(setup, `${receiver.url}${path}`);
  await act(subscriptionId, 'pause');

  const application = { ...setup, eventTypeName: setup.eventType };
  await insertBacklog(database.admin, application, { subscriptionId, secret }, { count: 50, payloadBytes: 64 });
  await eventually(async () => (await count('open_attempt', subscriptionId, 'lane = 1')) === 50);
  expect(receiver.requests.filter((request) => request.path === path)).toEqual([]);

  await act(subscriptionId, 'resume');
  await receiver.waitForRequests(50, { path });
});

test('what is in flight when its subscription is paused ends as it ends, and its retry waits for the resume', async () => {
  const path = '/in-flight';
  receiver.respond(path, { kind: 'answer', status: 500, delayMs: 500 }, { kind: 'answer', status: 200 });
  const { subscriptionId } = await subscribe(setup, `${receiver.url}${path}`);
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  await receiver.waitForRequests(1, { path });

  await act(subscriptionId, 'pause');
  const [retry, first] = await eventually(async () => {
    const rows = await attemptsOf(subscriptionId);
    return rows.length === 2 ? rows : undefined;
  });
  expect(first).toMatchObject({ http_response_status: 500, status: { type: 'failed' } });
  await setup.client.expect('POST', `/api/v1/request_attempts/${String(retry?.['request_attempt_id'])}/retry`, {
    application_id: setup.applicationId,
  });
  await deliverElsewhere('/in-flight-fence');
  expect(await receiver.waitForRequests(1, { path })).toHaveLength(1);

  await act(subscriptionId, 'resume');
  await receiver.waitForRequests(2, { path });
});

/** Which of the secrets verify a request, by the Standard Webhooks library and by Hook0's client. */
function verifiedBy(request: ReceivedRequest | undefined, secrets: readonly Record<string, unknown>[]) {
  const headers = new Headers(Object.entries(request?.headers ?? {}));
  const body = request?.body ?? Buffer.alloc(0);
  const holds = (verify: () => unknown): boolean => {
    try {
      return Boolean(verify());
    } catch {
      return false;
    }
  };
  return secrets.map((secret) => ({
    standard: holds(() => new Webhook(String(secret['standard_webhooks_secret'])).verify(body.toString(), request?.headers ?? {})),
    hook0: holds(() => verifyWebhookSignature(headers.get('x-hook0-signature') ?? '', body, headers, String(secret['secret']), 300)),
  }));
}

test('both secrets verify while a rotation overlaps, and then the new one alone', async () => {
  const path = '/rotated';
  const { subscriptionId } = await subscribe(setup, `${receiver.url}${path}`);
  const before = await setup.client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`);
  let sent = 0;
  const send = async (): Promise<ReceivedRequest | undefined> => {
    await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
    sent += 1;
    return (await receiver.waitForRequests(sent, { path })).at(-1);
  };
  expect(verifiedBy(await send(), [before])).toEqual([{ standard: true, hook0: true }]);

  const after = await act(subscriptionId, 'rotate_secret', { overlap: '1h' });
  const signedByBoth = await eventually(async () => {
    const request = await send();
    return request?.headers['webhook-signature']?.includes(' ') ? request : undefined;
  });
  expect(verifiedBy(signedByBoth, [after, before])).toEqual([
    { standard: true, hook0: true },
    { standard: true, hook0: false },
  ]);

  // The overlap of the first secret goes on, that of the second ends soon: ten times the second within which workers see it.
  const last = await act(subscriptionId, 'rotate_secret', { overlap: '10s' });
  const signedByAll = await eventually(async () => {
    const request = await send();
    return request?.headers['webhook-signature']?.split(' ').length === 3 ? request : undefined;
  });
  expect(verifiedBy(signedByAll, [last, after, before]).map(({ standard }) => standard)).toEqual([true, true, true]);
  const signedByRest = await eventually(async () => {
    const request = await send();
    return request?.headers['webhook-signature']?.split(' ').length === 2 ? request : undefined;
  });
  expect(verifiedBy(signedByRest, [last, after, before]).map(({ standard }) => standard)).toEqual([true, false, true]);

  const final = await act(subscriptionId, 'rotate_secret', { overlap: 0 });
  const signedByOne = await eventually(async () => {
    const request = await send();
    return request?.headers['webhook-signature']?.includes(' ') ? undefined : request;
  });
  expect(verifiedBy(signedByOne, [final, last, after, before])).toEqual([
    { standard: true, hook0: true },
    { standard: false, hook0: false },
    { standard: false, hook0: false },
    { standard: false, hook0: false },
  ]);
});

test('a sample is signed and sent once, also while its subscription is paused, and its failure has no consequences', async () => {
  const path = '/tested';
  receiver.respond(path, { kind: 'answer', status: 200 }, { kind: 'answer', status: 410 });
  const { subscriptionId } = await subscribe(setup, `${receiver.url}${path}`, { labels: { tenant: 'nobody' } });
  const subscription = await setup.client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`);
  await act(subscriptionId, 'pause');

  const tested = await act(subscriptionId, 'test', { payload: { hello: 'world' } });

  const [request] = await receiver.waitForRequests(1, { path });
  expect(request?.headers).toMatchObject({ 'x-event-id': tested['event_id'], 'x-attempt-id': tested['request_attempt_id'] });
  expect(request?.body.toString()).toBe('{"hello":"world"}');
  expect(verifiedBy(request, [subscription])).toEqual([{ standard: true, hook0: true }]);

  const failed = await act(subscriptionId, 'test');
  await receiver.waitForRequests(2, { path });
  const attempt = await eventually(async () => {
    const id = String(failed['request_attempt_id']);
    const row = await setup.client.expect('GET', `/api/v1/request_attempts/${id}?application_id=${setup.applicationId}`);
    return row['failed_at'] ? row : undefined;
  });
  expect(attempt).toMatchObject({ http_response_status: 410, reason: 'test' });
  expect(await attemptsOf(subscriptionId)).toHaveLength(2);
  expect(await setup.client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`)).toMatchObject({ is_enabled: true, is_paused: true });
});

test('a retry sends what failed again at once, whether it waits or is over', async () => {
  const path = '/retried';
  receiver.respond(path, { kind: 'answer', status: 500 }, { kind: 'answer', status: 200 });
  const { subscriptionId } = await subscribe(setup, `${receiver.url}${path}`);
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  const [waiting] = await eventually(async () => {
    const rows = await attemptsOf(subscriptionId);
    return rows.length === 2 ? rows : undefined;
  });
  expect(waiting).toMatchObject({ status: { type: 'waiting' } });
  const retry = (row: Record<string, unknown> | undefined): Promise<Record<string, unknown>> =>
    setup.client.expect('POST', `/api/v1/request_attempts/${String(row?.['request_attempt_id'])}/retry`, {
      application_id: setup.applicationId,
    });

  expect(await retry(waiting)).toMatchObject({ request_attempt_id: waiting?.['request_attempt_id'], outcome: 'hastened' });
  const [, second] = await receiver.waitForRequests(2, { path });
  expect(second?.headers).toMatchObject({ 'x-attempt-id': waiting?.['request_attempt_id'], 'x-retry-count': '1' });
  await eventually(async () => (await attemptsOf(subscriptionId)).every((row) => row['failed_at'] ?? row['succeeded_at']));

  const created = await retry(waiting);
  expect(created).toMatchObject({ outcome: 'created' });
  const [, , third] = await receiver.waitForRequests(3, { path });
  expect(third?.headers).toMatchObject({ 'x-attempt-id': created['request_attempt_id'], 'x-retry-count': '2' });
  expect(third?.headers['x-event-id']).toBe(second?.headers['x-event-id']);
});

test('a list of header values arrives as one line, which the signature covers', async () => {
  const path = '/headers';
  const target = { type: 'http', method: 'POST', url: `${receiver.url}${path}`, headers: { 'X-List': ['a', 'b, c'], 'X-One': ['d'] } };
  const { subscriptionId } = await subscribe(setup, `${receiver.url}${path}`, { target });
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));

  const [request] = await receiver.waitForRequests(1, { path });
  const raw = request?.rawHeaders ?? [];
  const lines = raw.flatMap((name, index) =>
    index % 2 === 0 && /^x-(list|one)$/i.test(name) ? [[name.toLowerCase(), raw[index + 1]]] : [],
  );
  expect(lines.toSorted()).toEqual([
    ['x-list', 'a, b, c'],
    ['x-one', 'd'],
  ]);
  const subscription = await setup.client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`);
  expect(subscription).toMatchObject({ target: { headers: { 'X-List': ['a', 'b, c'], 'X-One': 'd' } } });
  expect(verifiedBy(request, [subscription])).toEqual([{ standard: true, hook0: true }]);
});
