import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { type ApiProcess, startApi, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { Event, Hook0Client, verifyWebhookSignature } from 'hook0-client';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let database: TestDatabase;
let api: ApiProcess;
let worker: WorkerProcess;
let receiver: Receiver;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    args: ['--concurrent=4', '--fast-retry-delay=100ms', '--retry-jitter-max=0s'],
  });
});
afterAll(async () => {
  worker.kill('SIGTERM');
  api.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), api.waitForExit(), receiver.close()]);
  await database.drop();
});

describe.each(['/api/v1', '/api/v1/'])('with the base URL ending in %s', (basePath) => {
  test('hook0-client sends an event and verifies what the receiver got, and so does standardwebhooks', async () => {
    const setup = await setUpApplication(new ApiClient(api.url));
    const path = `/verified${basePath}`;
    const subscription = await subscribe(setup, `${receiver.url}${path}`, {
      target: { type: 'http', method: 'POST', url: `${receiver.url}${path}`, headers: { 'X-Tenant': 'acme', 'X-List': ['a', 'b'] } },
    });
    const client = new Hook0Client(`${api.url}${basePath}`, setup.applicationId, setup.secret);

    const added = await client.upsertEventTypes(['order.item.created', 'order.item.shipped']);
    const sent = await client.sendEvent(
      new Event(
        'order.item.created',
        '{"hello":"world"}',
        'application/json',
        { tenant: 'acme' },
        undefined,
        new Date('2026-01-01T00:00:00Z'),
      ),
    );

    const [request] = await receiver.waitForRequests(1, { path });
    expect(added).toContain('order.item.shipped');
    expect(request?.headers['x-event-id']).toBe(sent);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '17',
      'x-event-type': 'order.item.created',
      'x-retry-count': '0',
      'x-tenant': 'acme',
      'x-list': 'a, b',
      'webhook-id': sent,
    });
    expect(request?.headers['transfer-encoding']).toBeUndefined();
    const body = request?.body.toString() ?? '';
    const headers = new Headers(Object.entries(request?.headers ?? {}));
    expect(verifyWebhookSignature(headers.get('x-hook0-signature') ?? '', Buffer.from(body), headers, subscription.secret, 300)).toBe(true);
    expect(new Webhook(subscription.standardSecret).verify(body, request?.headers ?? {})).toEqual({ hello: 'world' });
  });
});

test('retries what fails until it succeeds, and the attempts tell the story', async () => {
  const setup = await setUpApplication(new ApiClient(api.url));
  receiver.respond(
    '/flaky',
    { kind: 'answer', status: 500, body: 'not yet' },
    { kind: 'answer', status: 503 },
    { kind: 'answer', status: 204 },
  );
  await subscribe(setup, `${receiver.url}/flaky`);

  await setup.client.expect('POST', '/api/v1/event', eventOf(setup));

  const attempts = await eventually(async () => {
    const rows = await setup.client.list(`/api/v1/request_attempts?application_id=${setup.applicationId}`);
    return rows.length === 3 && rows.every((row) => row['failed_at'] ?? row['succeeded_at']) ? rows : undefined;
  });
  expect(attempts).toMatchObject([
    { retry_count: 2, http_response_status: 204, status: { type: 'successful' } },
    { retry_count: 1, http_response_status: 503, status: { type: 'failed' } },
    { retry_count: 0, http_response_status: 500, status: { type: 'failed' } },
  ]);
  const first = await setup.client.expect(
    'GET',
    `/api/v1/responses/${String(attempts[2]?.['response_id'])}?application_id=${setup.applicationId}`,
  );
  expect(first).toMatchObject({
    response_error_name: 'E_HTTP',
    http_code: 500,
    body: 'not yet',
    body_encoding: 'utf8',
    body_truncated: false,
  });
});
