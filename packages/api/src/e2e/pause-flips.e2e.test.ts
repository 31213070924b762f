import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
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
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';

/** Workers follow within a second; on a busy machine ten are granted. */
const followedWithinMs = 10_000;

let database: TestDatabase;
let apis: readonly ApiProcess[];
let workers: readonly WorkerProcess[];
let receiver: Receiver;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  const databaseUrl = database.runtimeUrl;
  apis = await Promise.all([1, 2].map(() => startApi({ databaseUrl, env: { AUTO_DB_MIGRATION: 'false' } })));
  workers = await Promise.all([1, 2].map(() => startWorker({ databaseUrl, args: slotsForOneSubscription(20) })));
});
beforeEach(async () => {
  setup = await setUpApplication(new ApiClient(apis[0]?.url ?? ''));
});
afterAll(async () => {
  const processes = [...workers, ...apis];
  processes.forEach((managed) => managed.kill('SIGTERM'));
  await Promise.all([...processes.map((managed) => managed.waitForExit()), receiver.close()]);
  await database.drop();
});

async function givenBacklog(path: string, count: number): Promise<string> {
  receiver.respond(path, { kind: 'answer', status: 200, delayMs: 10 });
  const { subscriptionId, secret } = await subscribe(setup, `${receiver.url}${path}`);
  const application = { ...setup, eventTypeName: setup.eventType };
  await insertBacklog(database.admin, application, { subscriptionId, secret }, { count, payloadBytes: 64 });
  await receiver.waitForRequests(100, { path });
  return subscriptionId;
}

/** By one instance of the API or the other: each follows with what it was told itself. */
function act(subscriptionId: string, action: 'pause' | 'resume' | 'test', instance = 0): Promise<Record<string, unknown>> {
  const client = new ApiClient(apis[instance]?.url ?? '');
  return client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/${action}`);
}

function requestsTo(path: string): readonly ReceivedRequest[] {
  return receiver.requests.filter((request) => request.path === path);
}

async function countOpen(subscriptionId: string): Promise<number> {
  const { rowCount } = await database.admin.query({
    text: 'select from webhook.open_attempt where subscription_id = $1',
    values: [subscriptionId],
  });
  return rowCount ?? 0;
}

test('flips one after another, at two instances, end with every attempt delivered once', async () => {
  const path = '/flipped';
  const total = 5000;
  const subscriptionId = await givenBacklog(path, total);

  for (let flip = 0; flip < 12; flip += 1) {
    await act(subscriptionId, flip % 2 === 0 ? 'pause' : 'resume', Math.floor(flip / 3) % 2);
  }
  await eventually(async () => (await countOpen(subscriptionId)) === 0, { timeoutMs: 120_000, intervalMs: 200 });

  const ids = requestsTo(path).map(({ headers }) => headers['x-attempt-id']);
  expect(ids).toHaveLength(total);
  expect(new Set(ids).size).toBe(total);
});

test('while 30,000 attempts are being parked others and samples go out, and the resume is heard at once', async () => {
  const path = '/parked';
  const subscriptionId = await givenBacklog(path, 30_000);
  await subscribe(setup, `${receiver.url}/other`, { labels: { other: 'yes' } });

  await act(subscriptionId, 'pause');
  const pausedAtMs = Date.now();
  await setup.client.expect('POST', '/api/v1/event', eventOf(setup, { labels: { other: 'yes' } }));
  const sample = await act(subscriptionId, 'test', 1);
  const [other] = await receiver.waitForRequests(1, { path: '/other' });
  const sent = await eventually(() => requestsTo(path).find(({ headers }) => headers['x-attempt-id'] === sample['request_attempt_id']));
  expect((other?.receivedAtMs ?? Number.NaN) - pausedAtMs).toBeLessThan(followedWithinMs);
  expect(sent.receivedAtMs - pausedAtMs).toBeLessThan(followedWithinMs);

  await act(subscriptionId, 'resume', 1);
  const resumedAtMs = Date.now();
  const first = await eventually(() => requestsTo(path).find(({ receivedAtMs }) => receivedAtMs > resumedAtMs));
  expect(first.receivedAtMs - resumedAtMs).toBeLessThan(followedWithinMs);

  await act(subscriptionId, 'pause');
  await setup.client.expect('DELETE', `/api/v1/subscriptions/${subscriptionId}?application_id=${setup.applicationId}`);
  const deletedAtMs = Date.now();
  await eventually(async () => (await countOpen(subscriptionId)) === 0, { timeoutMs: 60_000, intervalMs: 200 });
  expect((requestsTo(path).at(-1)?.receivedAtMs ?? Number.NaN) - deletedAtMs).toBeLessThan(followedWithinMs);
  const ids = requestsTo(path).map(({ headers }) => headers['x-attempt-id']);
  expect(new Set(ids).size).toBe(ids.length);
});
