import { eventually } from '@postrider/testkit/eventually';
import { type ApiProcess, startApi, startWorker, testMasterKey, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createPostrider, type Postrider, PostriderError, verifyHook0Webhook, verifyStandardWebhook, verifyWebhook } from '../index.ts';

let database: TestDatabase;
let api: ApiProcess;
let worker: WorkerProcess;
let receiver: Receiver;
let master: Postrider;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    args: ['--concurrent=4', '--fast-retry-delay=100ms', '--retry-jitter-max=0s'],
  });
  master = createPostrider({ url: api.url, token: testMasterKey });
});
afterAll(async () => {
  worker.kill('SIGTERM');
  api.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), api.waitForExit(), receiver.close()]);
  await database.drop();
});

const event_type = 'order.item.created';

async function setUp() {
  const { organization_id } = await master.organizations.create({ name: 'Acme' });
  const { application_id } = await master.applications.create({ organization_id, name: 'Shop' });
  const [secret] = await master.applicationSecrets.list({ application_id });
  const postrider = createPostrider({ url: `${api.url}/api/v1/`, token: secret?.token ?? '' });
  await postrider.eventTypes.create({ application_id, service: 'order', resource_type: 'item', verb: 'created' });
  return { organization_id, application_id, postrider };
}

function target(path: string) {
  return { type: 'http', method: 'POST', url: `${receiver.url}${path}`, headers: { 'X-Key': 'of the receiver' } } as const;
}

test('sets an application up, sends an event, and its receiver verifies it in both schemes, during a rotation, too', async () => {
  const { application_id, postrider } = await setUp();
  const subscription = await postrider.subscriptions.create({
    application_id,
    is_enabled: true,
    event_types: [event_type],
    labels: {},
    target: target('/verified'),
  });
  const payload = '{"größe":"日本"}';
  const event = { application_id, event_type, payload, payload_content_type: 'application/json' } as const;

  const { event_id, received_at } = await postrider.events.ingest(event);

  expect(received_at).toMatch(/Z$/);
  const [request] = await receiver.waitForRequests(1, { path: '/verified' });
  const webhook = { headers: request?.headers ?? {}, body: request?.body ?? '' };
  expect(webhook.body.toString()).toBe(payload);
  for (const secret of [subscription.secret, subscription.standard_webhooks_secret]) {
    const covered = { scheme: 'hook0', eventId: event_id, eventType: event_type };
    expect(await verifyHook0Webhook({ ...webhook, secret })).toMatchObject(covered);
    expect(await verifyWebhook({ ...webhook, secret })).toMatchObject(covered);
    expect(await verifyStandardWebhook({ ...webhook, secret })).toMatchObject({ eventId: event_id });
  }
  const headers = { ...webhook.headers, 'x-key': 'of somebody else' };
  await expect(verifyHook0Webhook({ ...webhook, headers, secret: subscription.secret })).rejects.toMatchObject({
    problem: 'signature_mismatch',
  });

  const rotation = await postrider.subscriptions.rotateSecret({ subscription_id: subscription.subscription_id, overlap: '1h' });
  // Workers follow within a second.
  const second = await eventually(async () => {
    const seen = receiver.requests.length;
    await postrider.events.ingest(event);
    await eventually(() => receiver.requests.length > seen);
    return receiver.requests.find(({ headers: { 'webhook-signature': signatures } }) => signatures?.includes(' '));
  });
  const rotated = { headers: second.headers, body: second.body };
  expect(await verifyWebhook({ ...rotated, secret: rotation.secret })).toMatchObject({ scheme: 'hook0' });
  expect(await verifyWebhook({ ...rotated, secret: subscription.secret })).toMatchObject({ scheme: 'standard_webhooks' });

  const deliveries = await eventually(async () => {
    const rows = await Array.fromAsync(postrider.events.deliveriesAll({ event_id, application_id }));
    return rows[0]?.state === 'successful' && rows;
  });
  expect(deliveries).toMatchObject([{ subscription: { subscription_id: subscription.subscription_id }, attempts: 1 }]);
});

test('a sender delivers what it is given, and lists go through all of it', async () => {
  const { application_id, postrider } = await setUp();
  const sender = postrider.createEventSender({ eventsMax: 100 });
  const sent = Array.from({ length: 450 }, (_, item) =>
    sender.send({
      application_id,
      event_type,
      payload: { item },
      payload_content_type: 'application/json',
      labels: { item: String(item) },
    }),
  );
  const unknown = { application_id, event_type: 'never.created.here', payload: '{}', payload_content_type: 'application/json' } as const;
  const [[refused]] = await Promise.all([Promise.allSettled([sender.send(unknown)]), sender.close()]);
  expect(refused).toMatchObject({ reason: { name: 'PostriderError', id: 'EventTypeDoesNotExist', status: 400 } });

  const ids = (await Promise.all(sent)).map(({ event_id }) => event_id).toSorted();
  const listed: string[] = [];
  for await (const { event_id } of postrider.events.listAll({ application_id, per_page: 100 })) {
    listed.push(event_id);
  }
  expect(listed.toSorted()).toEqual(ids);
  const sizes: number[] = [];
  for await (const { body, nextCursor } of postrider.events.listPages({ application_id, per_page: 200 })) {
    sizes.push(body.length);
    expect(nextCursor === null).toBe(sizes.length === 3);
  }
  expect(sizes).toEqual([200, 200, 50]);
});

test('failures are those of the API', async () => {
  const { application_id, postrider } = await setUp();
  const event_id = '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d';
  const event = { application_id, event_id, event_type, payload: '{}', payload_content_type: 'application/json' } as const;
  const now = new Date();
  await postrider.events.ingest({ ...event, occurred_at: now });

  const failures = await Promise.all(
    [
      postrider.events.ingest({ ...event, occurred_at: now }),
      postrider.events.ingest({ ...event, occurred_at: now, payload: '{"other":1}' }),
      postrider.events.ingest({ ...event, event_type: '' }),
      postrider.organizations.list(),
      postrider.events.get({ event_id: application_id, application_id }),
      createPostrider({ url: api.url }).events.list({ application_id }),
      createPostrider({ url: `${api.url}/somewhere/else` }).instance.get(),
    ].map((call) => call.then(() => null).catch((error: unknown) => error)),
  );

  for (const failure of failures) {
    expect(failure).toBeInstanceOf(PostriderError);
    expect(failure).toHaveProperty('requestId', expect.stringMatching(/./));
  }
  expect(failures).toMatchObject([
    { id: 'EventAlreadyIngested', status: 409, code: 'same_content', attempts: 1 },
    { id: 'EventAlreadyIngested', status: 409, code: 'different_content' },
    { id: 'Validation', status: 422, validation: { event_type: [{ code: 'length' }] } },
    { id: 'Forbidden', status: 403 },
    { id: 'NotFound', status: 404 },
    { id: 'AuthNoAuthorizationHeader', status: 401 },
    { id: 'NotFound', status: 404 },
  ]);
});

test('an event is one event though the API dies under it', async () => {
  const { application_id, postrider } = await setUp();
  const patient = createPostrider({
    url: api.url,
    token: testMasterKey,
    retry: { attemptsMax: 100, delayMs: 50, delayMaxMs: 200, totalMs: 60_000 },
  });
  const port = new URL(api.url).port;
  const sender = patient.createEventSender({ eventsMax: 5, waitMs: 1 });
  const sent = Array.from({ length: 200 }, async (_, item) => {
    return sender.send({ application_id, event_type, payload: { item }, payload_content_type: 'application/json' });
  });
  await sent[0];
  api.kill('SIGKILL');
  await api.waitForExit();
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', PORT: port } });
  await sender.close();

  const ids = (await Promise.all(sent)).map(({ event_id }) => event_id).toSorted();
  const listed = await Array.fromAsync(postrider.events.listAll({ application_id }));
  expect(listed.map(({ event_id }) => event_id).toSorted()).toEqual(ids);
});
