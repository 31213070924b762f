import { ApiClient, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { type ApiProcess, startApi, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { Event, Hook0Client, verifyWebhookSignature } from 'hook0-client';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { hearAnswers, type HeardAnswers } from '../testing/hear-answers.ts';

// One story from an empty installation to an empty one, each test a chapter that goes on where the one before it ended. Whatever the API
// answers on the way is held to its OpenAPI document, and at the end no operation of the document may be left that never succeeded.
const organizationId = crypto.randomUUID();
const eventType = 'order.item.created';

let database: TestDatabase;
let receiver: Receiver;
let api: ApiProcess;
let worker: WorkerProcess;
let heard: HeardAnswers;

let master: ApiClient;
let editor: ApiClient;
let application: ApiClient;
let applicationId: string;
let secret: string;
let query: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  const { runtimeUrl: databaseUrl } = database;
  api = await startApi({ databaseUrl, env: { AUTO_DB_MIGRATION: 'false', HEALTH_CHECK_KEY: 'healthy?' } });
  worker = await startWorker({ databaseUrl, args: ['--concurrent=4', '--fast-retry-delay=4m', '--retry-jitter-max=0s'] });
  heard = await hearAnswers(api.url);
  master = new ApiClient(api.url);
});
afterAll(async () => {
  heard.stop();
  worker.kill('SIGTERM');
  api.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), api.waitForExit(), receiver.close()]);
  await database.drop();
});

/** Calls what changes something; fails unless it succeeds. */
function post(client: ApiClient, path: string, body?: unknown): Promise<Record<string, unknown>> {
  return client.expect('POST', `/api/v1${path}`, body);
}
function put(client: ApiClient, path: string, body?: unknown): Promise<Record<string, unknown>> {
  return client.expect('PUT', `/api/v1${path}`, body);
}
function get(client: ApiClient, path: string): Promise<Record<string, unknown>> {
  return client.expect('GET', `/api/v1${path}`);
}
function list(client: ApiClient, path: string): Promise<Record<string, unknown>[]> {
  return client.list(`/api/v1${path}`);
}
async function remove(client: ApiClient, path: string): Promise<void> {
  await client.expect('DELETE', `/api/v1${path}`);
}
async function statusOf(client: ApiClient, method: string, path: string, body?: unknown): Promise<number> {
  return (await client.call(method, `/api/v1${path}`, body)).status;
}

function setup() {
  return { organizationId, applicationId, secret, eventType, client: application };
}

function subscriptionOf(label: string, { is_enabled = true, url = `${receiver.url}/${label}` } = {}): Record<string, unknown> {
  return {
    application_id: applicationId,
    is_enabled,
    event_types: [eventType],
    labels: { to: label },
    target: { type: 'http', method: 'PUT', url, headers: { 'X-Shop': 'acme' } },
  };
}

async function sendEvent(label: string): Promise<string> {
  const client = new Hook0Client(`${api.url}/api/v1/`, applicationId, secret);
  return client.sendEvent(new Event(eventType, '{"item":1}', 'application/json', { to: label }));
}

async function attemptsOf(eventId: string): Promise<Record<string, unknown>[]> {
  return list(application, `/request_attempts${query}&event_id=${eventId}`);
}

test('an operator founds an organization and hands out tokens', async () => {
  await post(master, '/organizations', { name: 'Acme', organization_id: organizationId });
  expect(await put(master, `/organizations/${organizationId}`, { name: 'Acme Ltd' })).toMatchObject({ name: 'Acme Ltd' });
  const token = await post(master, '/service_token', { organization_id: organizationId, name: 'deploy' });
  editor = master.withToken(String(token['biscuit']));

  expect(await list(editor, '/organizations')).toMatchObject([{ organization_id: organizationId, role: 'editor', name: 'Acme Ltd' }]);
  expect(await get(editor, `/organizations/${organizationId}`)).toMatchObject({ onboarding_steps: { application: 'ToDo' } });
  const other = await post(editor, '/service_token', { organization_id: organizationId, name: 'reader' });
  const path = `/service_token/${String(other['token_id'])}`;
  const viewer = master.withToken(String(other['biscuit']));
  await put(editor, path, { organization_id: organizationId, name: 'reader', role: 'viewer' });
  expect(await get(editor, `${path}?organization_id=${organizationId}`)).toMatchObject({ role: 'viewer' });
  expect(await statusOf(viewer, 'POST', '/applications', { organization_id: organizationId, name: 'Mine' })).toBe(403);
  expect(await list(editor, `/service_token?organization_id=${organizationId}`)).toHaveLength(2);
  await remove(editor, `${path}?organization_id=${organizationId}`);
  expect(await statusOf(viewer, 'GET', '/organizations')).toBe(403);
});

test('an editor makes an application with secrets and event types', async () => {
  const created = await post(editor, '/applications', { organization_id: organizationId, name: 'Shop' });
  applicationId = String(created['application_id']);
  query = `?application_id=${applicationId}`;
  await put(editor, `/applications/${applicationId}`, { organization_id: organizationId, name: 'Web shop' });
  expect(await list(editor, `/applications?organization_id=${organizationId}`)).toMatchObject([{ name: 'Web shop' }]);

  const [first] = await list(editor, `/application_secrets${query}`);
  secret = String(first?.['token']);
  application = master.withToken(secret);
  const { token: second } = await post(editor, '/application_secrets', { application_id: applicationId, name: 'ci' });
  await put(application, `/application_secrets/${String(second)}`, { application_id: applicationId, name: 'ci of the shop' });
  await remove(application, `/application_secrets/${String(second)}${query}`);
  expect(await statusOf(master.withToken(String(second)), 'GET', `/event_types${query}`)).toBe(403);

  const added = await new Hook0Client(`${api.url}/api/v1/`, applicationId, secret).upsertEventTypes([eventType, 'order.item.lost']);
  expect(added).toEqual([eventType, 'order.item.lost']);
  expect(await get(application, `/event_types/${eventType}${query}`)).toMatchObject({ service_name: 'order', verb_name: 'created' });
  await remove(application, `/event_types/order.item.lost${query}`);
  expect(await list(application, `/event_types${query}`)).toMatchObject([{ event_type_name: eventType }]);
});

test('an event is delivered, answered, replayed and retried', async () => {
  receiver.respond('/shop', { kind: 'answer', status: 503, body: 'closed' }, { kind: 'answer', status: 200, body: 'thanks' });
  const subscription = await subscribe(setup(), `${receiver.url}/shop`, { labels: { to: 'shop' } });
  expect(await list(application, `/subscriptions${query}`)).toMatchObject([{ subscription_id: subscription.subscriptionId }]);
  const match = await post(application, '/subscriptions/match', {
    application_id: applicationId,
    event_type: eventType,
    labels: { to: 'shop' },
  });
  expect(match).toMatchObject({ subscriptions: [{ delivery: 'now', reasons: [] }] });

  const eventId = await sendEvent('shop');
  const failed = await eventually(async () => (await attemptsOf(eventId)).find((attempt) => attempt['failed_at'] !== null));
  const responsePath = `/responses/${String(failed['response_id'])}${query}`;
  expect(await get(application, responsePath)).toMatchObject({ http_code: 503, body: 'closed' });
  expect(await get(application, `/events/${eventId}/deliveries${query}`)).toMatchObject({
    deliveries: [{ state: 'waiting', attempts: 1, last_attempt: { http_response_status: 503 } }],
  });

  // The next try would come in four minutes.
  const waiting = (await attemptsOf(eventId)).find((attempt) => attempt['failed_at'] === null);
  const waitingPath = `/request_attempts/${String(waiting?.['request_attempt_id'])}`;
  expect(await post(application, `${waitingPath}/retry`, { application_id: applicationId })).toMatchObject({ outcome: 'hastened' });
  await eventually(async () => (await get(application, `${waitingPath}${query}`))['succeeded_at'] !== null);
  await post(application, `/events/${eventId}/replay`, { application_id: applicationId });

  const requests = await receiver.waitForRequests(3, { path: '/shop' });
  for (const { headers, body } of requests) {
    expect(headers['x-event-id']).toBe(eventId);
    expect(new Webhook(subscription.standardSecret).verify(body.toString(), headers)).toEqual({ item: 1 });
    const signature = headers['x-hook0-signature'] ?? '';
    expect(verifyWebhookSignature(signature, body, new Headers(Object.entries(headers)), subscription.secret, 300)).toBe(true);
  }
  expect(await get(application, `/events/${eventId}${query}`)).toMatchObject({ payload: Buffer.from('{"item":1}').toString('base64') });
  await eventually(async () => (await list(application, `/events${query}&status=successful`)).length === 1);
});

test('events come in batches, as a list and as lines', async () => {
  const event = { application_id: applicationId, event_type: eventType, occurred_at: '2026-01-01T00:00:00Z', labels: { to: 'nobody' } };
  const batch = ['first', 'second'].map((payload) => ({ ...event, payload, payload_content_type: 'text/plain' }));

  const { body: results } = await application.call('POST', '/api/v1/events/batch', batch);
  const lines = batch.map((one) => JSON.stringify(one)).join('\n');
  const { body: lineResults } = await application.call('POST', '/api/v1/events/batch', lines, { 'content-type': 'application/x-ndjson' });

  expect(results).toMatchObject([{ status: 201 }, { status: 201 }]);
  expect(lineResults).toMatchObject([{ status: 201 }, { status: 201 }]);
});

test('a subscription is paused and resumed, gets a sample and a new secret, and is changed', async () => {
  const {
    subscriptionId,
    secret: oldSecret,
    standardSecret,
  } = await subscribe(setup(), `${receiver.url}/bank`, { labels: { to: 'bank' } });
  const path = `/subscriptions/${subscriptionId}`;

  await post(application, `${path}/pause`);
  const eventId = await sendEvent('bank');
  expect(await get(application, `/events/${eventId}/deliveries${query}`)).toMatchObject({ deliveries: [{ state: 'paused' }] });
  await post(application, `${path}/resume`);
  await receiver.waitForRequests(1, { path: '/bank' });

  const sample = await post(application, `${path}/test`);
  const [, request] = await receiver.waitForRequests(2, { path: '/bank' });
  expect(request?.headers['x-event-id']).toBe(sample['event_id']);
  expect(() => new Webhook(standardSecret).verify(request?.body.toString() ?? '', request?.headers ?? {})).not.toThrow();
  const rotated = await post(application, `${path}/rotate_secret`, { overlap: '1h' });
  expect(rotated['secret']).not.toBe(oldSecret);

  const changed = subscriptionOf('bank', { is_enabled: false, url: `${receiver.url}/vault` });
  expect(await put(application, path, changed)).toMatchObject({ is_enabled: false, secret: rotated['secret'] });
  expect(await get(application, path)).toMatchObject({ target: { url: `${receiver.url}/vault` } });
  await remove(application, `${path}${query}`);
  expect(await statusOf(application, 'GET', path)).toBe(404);
});

test('a private worker delivers for the organizations that it is assigned to', async () => {
  const { worker_id: id } = await post(master, '/workers', { name: 'inside', public: true });
  await put(master, `/workers/${String(id)}`, { name: 'inside', description: 'behind the firewall', public: false });
  const subscription = { ...subscriptionOf('inside'), dedicated_workers: ['inside'] };
  expect(await statusOf(application, 'POST', '/subscriptions', subscription)).toBe(400);

  await put(master, `/organizations/${organizationId}/workers/${String(id)}`);
  expect(await list(master, `/organizations/${organizationId}/workers`)).toMatchObject([{ name: 'inside', public: false }]);
  const { subscription_id: subscriptionId } = await post(application, '/subscriptions', subscription);
  const inside = await startWorker({ databaseUrl: database.runtimeUrl, env: { WORKER_NAME: 'inside' } });
  await sendEvent('inside');
  await receiver.waitForRequests(1, { path: '/inside' });
  inside.kill('SIGTERM');
  expect(await inside.waitForExit()).toBe(0);

  await remove(application, `/subscriptions/${String(subscriptionId)}${query}`);
  await remove(master, `/organizations/${organizationId}/workers/${String(id)}`);
  await remove(master, `/workers/${String(id)}`);
  expect(await list(master, '/workers')).toEqual([]);
});

test('what happened is counted by day and recorded by whom', async () => {
  const days = await list(application, `/events_per_day/application${query}`);
  expect(days.at(-1)).toMatchObject({ application_id: applicationId, amount: 8, is_provisional: true });
  expect(await list(editor, `/events_per_day/organization?organization_id=${organizationId}`)).toEqual(days);
  expect(await get(application, `/applications/${applicationId}`)).toMatchObject({
    consumption: { events_per_day: 8 },
    onboarding_steps: { event_type: 'Done', subscription: 'Done', event: 'Done' },
  });

  const entries = await list(editor, `/audit_log?organization_id=${organizationId}&action=applications.create`);
  expect(entries).toMatchObject([{ actor: { kind: 'service_token' }, target: { id: applicationId } }]);
});

test('anybody can read what the installation is and how it is used', async () => {
  const anybody = master.withToken(null);
  expect(await get(anybody, '/instance')).toMatchObject({ registration_disabled: true });
  expect(await get(anybody, '/quotas')).toHaveProperty('limits');
  expect(await list(anybody, '/environment_variables')).toContainEqual(expect.objectContaining({ env_var: 'DATABASE_URL' }));
  const types = await anybody.call('GET', '/api/v1/payload_content_types');
  expect(types.body).toEqual(['text/plain', 'application/json', 'application/octet-stream+base64']);
  expect(await get(anybody, `/health?key=${encodeURIComponent('healthy?')}`)).toMatchObject({ database: true });
  const problems = await list(anybody, '/errors');
  expect(await get(anybody, `/errors/${String(problems[0]?.['id'])}`)).toEqual(problems[0]);

  expect(await get(anybody, '/swagger.json')).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  const { body: page } = await anybody.call('GET', '/api/v1/docs');
  expect(page).toContain('/api/v1/docs/start.js');
  expect(await statusOf(anybody, 'GET', '/docs/start.js')).toBe(200);
});

test('all of it can be deleted again', async () => {
  const isEmptied = () => statusOf(master, 'DELETE', `/organizations/${organizationId}`);
  expect(await isEmptied()).toBe(409);
  await remove(editor, `/applications/${applicationId}`);
  expect(await statusOf(application, 'GET', `/events${query}`)).toBe(403);
  expect(await isEmptied()).toBe(204);
  expect(await statusOf(master, 'GET', `/organizations/${organizationId}`)).toBe(404);
});

test('the story has told every operation of the document', () => {
  expect(heard.neverSucceeded()).toEqual([]);
});
