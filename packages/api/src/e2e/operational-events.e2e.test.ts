import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { startApi, startWorker } from '@postrider/testkit/postrider-processes';
import { type ReceivedRequest, type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';

const disabled = 'postrider.subscription.disabled';
const exhausted = 'postrider.delivery.exhausted';

let database: TestDatabase;
let receiver: Receiver;
let operator: ApplicationSetup;
let tenant: ApplicationSetup;
let opsUrl: string;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  onTestFinished(() => api.kill('SIGKILL'));
  operator = await setUpApplication(new ApiClient(api.url));
  tenant = await setUpApplication(new ApiClient(api.url));
  const worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    env: { OPERATIONAL_EVENTS_APPLICATION_ID: operator.applicationId },
    args: ['--max-fast-retries=1', '--fast-retry-delay=50ms', '--max-slow-retries=0', '--retry-jitter-max=0s'],
  });
  onTestFinished(() => worker.kill('SIGKILL'));
  ({ opsUrl } = worker);
});
afterEach(() => database.drop());

/** The operator listens to what befalls the tenant's application. */
function listen(path: string, eventType: string) {
  return subscribe(operator, `${receiver.url}${path}`, { event_types: [eventType], labels: { application_id: tenant.applicationId } });
}

function verified(request: ReceivedRequest | undefined, secret: string): unknown {
  return new Webhook(secret).verify(request?.body.toString() ?? '', { ...request?.headers });
}

async function endedAttempts(setup: ApplicationSetup): Promise<unknown[]> {
  const rows = await setup.client.list(`/api/v1/request_attempts?application_id=${setup.applicationId}&status=failed`);
  return rows.map((row) => row['reason']);
}

test('an operator gets signed webhooks when a receiver of another application is gone and when retries are used up', async () => {
  receiver.respond('/gone?token=s3cret', { kind: 'answer', status: 410 });
  receiver.respond('/broken', { kind: 'answer', status: 500 });
  const onDisabled = await listen('/on-disabled', disabled);
  const onExhausted = await listen('/on-exhausted', exhausted);
  const gone = await subscribe(tenant, `${receiver.url}/gone?token=s3cret`, { description: 'gone for good', labels: { to: 'gone' } });
  const broken = await subscribe(tenant, `${receiver.url}/broken`, { labels: { to: 'broken' } });

  await tenant.client.expect('POST', '/api/v1/event', eventOf(tenant, { labels: { to: 'gone' } }));
  const event = await tenant.client.expect('POST', '/api/v1/event', eventOf(tenant, { labels: { to: 'broken' } }));
  const [disabledRequest] = await receiver.waitForRequests(1, { path: '/on-disabled' });
  const [exhaustedRequest] = await receiver.waitForRequests(1, { path: '/on-exhausted' });

  const { host } = new URL(receiver.url);
  expect(verified(disabledRequest, onDisabled.standardSecret)).toEqual({
    application_id: tenant.applicationId,
    subscription_id: gone.subscriptionId,
    description: 'gone for good',
    target_host: host,
    reason: 'gone',
    failing_since: null,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    why: expect.stringContaining('410'),
  });
  expect(disabledRequest?.headers['x-event-type']).toBe(disabled);
  const attempts = await tenant.client.list(
    `/api/v1/request_attempts?application_id=${tenant.applicationId}&subscription_id=${broken.subscriptionId}`,
  );
  expect(verified(exhaustedRequest, onExhausted.standardSecret)).toMatchObject({
    application_id: tenant.applicationId,
    subscription_id: broken.subscriptionId,
    target_host: host,
    event_id: event['event_id'],
    event_type_name: tenant.eventType,
    request_attempt_id: attempts.find((attempt) => attempt['retry_count'] === 1)?.['request_attempt_id'],
    retry_count: 1,
    error_name: 'E_HTTP',
    http_code: 500,
  });
  expect(await tenant.client.expect('GET', `/api/v1/subscriptions/${gone.subscriptionId}`)).toMatchObject({ is_enabled: false });
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
  expect(metrics).toContain('postrider_worker_operational_events_total{result="ingested"} 2');
});

test("an operator's own receivers that fail or are gone make no further events", async () => {
  receiver.respond('/on-exhausted', { kind: 'answer', status: 500 });
  receiver.respond('/on-exhausted-too', { kind: 'answer', status: 410 });
  receiver.respond('/broken', { kind: 'answer', status: 500 });
  await listen('/on-exhausted', exhausted);
  const own = await listen('/on-exhausted-too', exhausted);
  const onDisabled = await subscribe(operator, `${receiver.url}/on-disabled`, { event_types: [disabled], labels: {} });
  expect(onDisabled.subscriptionId).not.toBe('');
  await subscribe(tenant, `${receiver.url}/broken`);

  await tenant.client.expect('POST', '/api/v1/event', eventOf(tenant));

  // The operator's attempts have ended: one with its retries used up, one gone.
  await eventually(async () => {
    const reasons = await endedAttempts(operator);
    return reasons.includes('retries_exhausted') && reasons.includes('gone');
  });
  await eventually(async () => {
    const subscription = await operator.client.expect('GET', `/api/v1/subscriptions/${own.subscriptionId}`);
    return subscription['is_enabled'] === false;
  });
  const events = await operator.client.list(`/api/v1/events?application_id=${operator.applicationId}`);
  expect(events.map((event) => event['event_type_name'])).toEqual([exhausted]);
  expect(receiver.requests.filter(({ path }) => path === '/on-disabled')).toEqual([]);
});
