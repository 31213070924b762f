import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { type ApiProcess, startApi, startWorker } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

let database: TestDatabase;
let api: ApiProcess;
let master: ApiClient;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  master = new ApiClient(api.url);
});
afterAll(async () => {
  api.kill('SIGTERM');
  await api.waitForExit();
  await database.drop();
});

async function sendEvent(setup: ApplicationSetup, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return String((await setup.client.expect('POST', '/api/v1/event', eventOf(setup, changes)))['event_id']);
}

/** Ends the open attempt of an event as a worker would. */
async function finish(eventId: string, end: { readonly httpCode: number; readonly reason: string | null }): Promise<void> {
  await database.admin.query({
    text: `with ended as (delete from webhook.open_attempt where event_id = $1 returning *)
           insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at,
             due_at, picked_at, finished_at, succeeded_at, failed_at, retry_count, http_code, elapsed_ms, event_type_name, reason, error_name)
           select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, now(), now(),
             case when $2::integer = 200 then now() end, case when $2::integer <> 200 then now() end, retry_count, $2::integer, 5,
             event_type_name, $3, case when $2::integer <> 200 then 'E_HTTP' end
           from ended`,
    values: [eventId, end.httpCode, end.reason],
  });
}

async function changeOpen(eventId: string, change: string): Promise<void> {
  await database.admin.query({ text: `update webhook.open_attempt set ${change} where event_id = $1`, values: [eventId] });
}

async function deliveriesOf(setup: ApplicationSetup, eventId: string) {
  const body = await setup.client.expect('GET', `/api/v1/events/${eventId}/deliveries?application_id=${setup.applicationId}`);
  const listed = await setup.client.list(`/api/v1/events?application_id=${setup.applicationId}`);
  // The list says the same as the event's own page.
  expect(listed.find((event) => event['event_id'] === eventId)).toMatchObject({ status: body['status'] });
  return { status: body['status'], noMatchAt: body['no_match_at'], deliveries: body['deliveries'] };
}

describe('the deliveries of an event', () => {
  test('of nothing that matched say so, and when', async () => {
    const setup = await setUpApplication(master);
    const eventId = await sendEvent(setup);
    const event = await setup.client.expect('GET', `/api/v1/events/${eventId}?application_id=${setup.applicationId}`);
    expect(await deliveriesOf(setup, eventId)).toEqual({ status: 'no_match', noMatchAt: event['received_at'], deliveries: [] });
    await subscribe(setup, 'https://example.com/');
    expect(await deliveriesOf(setup, eventId)).toMatchObject({
      status: 'no_match',
      deliveries: [{ state: 'not_planned', attempts: 0, next_attempt: null, last_attempt: null }],
    });
  });

  test('follow their attempts to success', async () => {
    const setup = await setUpApplication(master);
    const { subscriptionId } = await subscribe(setup, 'https://example.com/', { description: 'mine' });
    const eventId = await sendEvent(setup);
    const pending = await deliveriesOf(setup, eventId);
    expect(pending).toMatchObject({ status: 'pending', noMatchAt: null });
    expect(pending.deliveries).toEqual([
      {
        subscription: { subscription_id: subscriptionId, description: 'mine' },
        state: 'pending',
        reason: null,
        explanation: expect.stringContaining('first attempt'),
        attempts: 0,
        next_attempt: { request_attempt_id: expect.any(String), retry_count: 0, retries_max: null, at: expect.stringMatching(/Z$/) },
        last_attempt: null,
      },
    ]);
    await changeOpen(eventId, "retry_count = 2, due_at = now() + interval '1 hour'");
    await database.admin.query({ text: "insert into webhook.worker_process (name, version, retries_max) values ('w', '1', 60)" });
    expect(await deliveriesOf(setup, eventId)).toMatchObject({
      status: 'waiting',
      deliveries: [{ state: 'waiting', explanation: 'Waiting for retry 2 of 60.', next_attempt: { retry_count: 2, retries_max: 60 } }],
    });
    await changeOpen(eventId, "leased_until = now() + interval '1 hour'");
    expect(await deliveriesOf(setup, eventId)).toMatchObject({ status: 'in_progress', deliveries: [{ state: 'in_progress' }] });
    await finish(eventId, { httpCode: 200, reason: null });
    expect(await deliveriesOf(setup, eventId)).toMatchObject({
      status: 'successful',
      deliveries: [
        {
          state: 'successful',
          attempts: 1,
          next_attempt: null,
          last_attempt: { status: 'successful', http_response_status: 200, error_name: null, response_id: expect.any(String) },
        },
      ],
    });
  });

  test.each([
    [500, 'retries_exhausted', 'failed', 'retries_exhausted'],
    [410, 'gone', 'failed', 'gone'],
    [500, 'cancelled', 'cancelled', 'cancelled'],
  ])('that ended with %d and %s are %s', async (httpCode, reason, state, told) => {
    const setup = await setUpApplication(master);
    await subscribe(setup, 'https://example.com/');
    const eventId = await sendEvent(setup);
    await finish(eventId, { httpCode, reason });
    expect(await deliveriesOf(setup, eventId)).toMatchObject({
      status: 'failed',
      deliveries: [{ state, reason: told, attempts: 1, last_attempt: { status: 'failed', http_response_status: httpCode } }],
    });
    // What is replayed is open again.
    await setup.client.expect('POST', `/api/v1/events/${eventId}/replay`, { application_id: setup.applicationId });
    expect(await deliveriesOf(setup, eventId)).toMatchObject({ status: 'pending', deliveries: [{ state: 'pending', attempts: 1 }] });
  });

  test('are paused with their subscription, and cancelled when it is disabled or deleted', async () => {
    const setup = await setUpApplication(master);
    const one = await subscribe(setup, 'https://example.com/1');
    const two = await subscribe(setup, 'https://example.com/2');
    const eventId = await sendEvent(setup);
    await setup.client.expect('POST', `/api/v1/subscriptions/${one.subscriptionId}/pause`);
    await setup.client.expect('POST', `/api/v1/subscriptions/${two.subscriptionId}/pause`);
    expect(await deliveriesOf(setup, eventId)).toMatchObject({
      status: 'pending',
      deliveries: [
        { state: 'paused', next_attempt: { at: null } },
        { state: 'paused', explanation: expect.stringContaining('paused') },
      ],
    });
    await setup.client.expect('DELETE', `/api/v1/subscriptions/${one.subscriptionId}?application_id=${setup.applicationId}`);
    await database.admin.query({
      text: "update webhook.subscription set disabled_at = now(), disabled_reason = 'gone' where subscription_id = $1",
      values: [two.subscriptionId],
    });
    expect(await deliveriesOf(setup, eventId)).toMatchObject({
      status: 'failed',
      deliveries: [
        { state: 'cancelled', reason: 'subscription_deleted', attempts: 0, next_attempt: null },
        { state: 'cancelled', reason: 'gone', next_attempt: null, last_attempt: null },
      ],
    });
  });

  test('of which some failed make the event partially failed', async () => {
    const setup = await setUpApplication(master);
    await subscribe(setup, 'https://example.com/1');
    const other = await subscribe(setup, 'https://example.com/2');
    const eventId = await sendEvent(setup);
    await finish(eventId, { httpCode: 200, reason: null });
    await setup.client.expect('POST', `/api/v1/events/${eventId}/replay`, {
      application_id: setup.applicationId,
      subscription_id: other.subscriptionId,
    });
    await finish(eventId, { httpCode: 500, reason: 'retries_exhausted' });
    expect(await deliveriesOf(setup, eventId)).toMatchObject({ status: 'partially_failed' });
  });

  test('are promised as many retries as the live workers say', async () => {
    const other = await createTestDatabase(inject('superuserUrl'));
    const worker = await startWorker({ databaseUrl: other.runtimeUrl, args: ['--max-fast-retries=3', '--max-slow-retries=2'] });
    const { rows } = await other.admin.query({ text: 'select retries_max from webhook.worker_process' });
    worker.kill('SIGTERM');
    await worker.waitForExit();
    await other.drop();
    expect(rows).toEqual([{ retries_max: 5 }]);
  });

  test('are of an event of the application', async () => {
    const setup = await setUpApplication(master);
    const other = await setUpApplication(master);
    const eventId = await sendEvent(other);
    const path = (id: string, application: ApplicationSetup) =>
      `/api/v1/events/${id}/deliveries?application_id=${application.applicationId}`;
    expect(await setup.client.call('GET', path(eventId, setup))).toMatchObject({ status: 404, body: { id: 'NotFound' } });
    expect(await setup.client.call('GET', path(eventId, other))).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
    expect(await setup.client.call('GET', path('nonsense', setup))).toMatchObject({ status: 422, body: { id: 'Validation' } });
  });
});

describe('parameters', () => {
  let setup: ApplicationSetup;
  beforeAll(async () => {
    setup = await setUpApplication(master);
    await setup.client.expect('POST', '/api/v1/event_types', {
      application_id: setup.applicationId,
      service: 'order',
      resource_type: 'item',
      verb: 'deleted',
    });
    await sendEvent(setup, { labels: { tenant: 'acme', region: 'eu' } });
    await sendEvent(setup, { labels: { tenant: 'acme' } });
    await sendEvent(setup, { event_type: 'order.item.deleted', labels: { tenant: 'other' } });
  });

  test.each([
    ['events', 'per_page=0', 'per_page'],
    ['events', 'per_page=1001', 'per_page'],
    ['events', 'page=0', 'page'],
    ['events', 'page=102&per_page=100', 'page'],
    ['events', 'page=x', 'page'],
    ['events', 'since=yesterday', 'since'],
    ['events', 'until=2026-02-30T00:00:00Z', 'until'],
    ['events', 'label=none', 'label'],
    ['events', 'label=a=b&label=none', 'label'],
    ['events', 'label=a=b&label=a=c', 'label'],
    ['events', 'status=done', 'status'],
    ['events', 'status=failed,done', 'status'],
    ['events', `event_type=${Array.from({ length: 21 }, (_, index) => `t${index}`).join()}`, 'event_type'],
    ['events', 'pagination_cursor=nonsense', 'pagination_cursor'],
    ['request_attempts', 'status=no_match', 'status'],
    ['request_attempts', 'event_id=7', 'event_id'],
    ['request_attempts', 'subscription_id=7', 'subscription_id'],
    ['request_attempts', 'min_created_at=now', 'min_created_at'],
    ['request_attempts', 'max_created_at=now', 'max_created_at'],
    ['request_attempts', 'pagination_cursor=WyJ4Il0', 'pagination_cursor'],
    ['events_per_day/application', 'from=yesterday', 'from'],
    ['events_per_day/application', 'to=2026-02-30', 'to'],
    ['events_per_day/application', 'to=2026-1-1', 'to'],
  ])('GET /%s?%s is refused and names the parameter', async (path, query, field) => {
    const answer = await setup.client.call('GET', `/api/v1/${path}?application_id=${setup.applicationId}&${query}`);
    expect(answer).toMatchObject({ status: 422, body: { id: 'Validation' } });
    expect(Object.keys(Object(answer.body).validation).map((name) => name.split('.')[0])).toEqual([field]);
  });

  test.each([
    ['event_type=order.item.deleted', 1],
    ['event_type=order.item.deleted,order.item.created', 3],
    ['event_type=order.item.deleted&event_type=order.item.created', 3],
    ['event_type=', 3],
    ['event_type=unknown', 0],
    ['label=tenant=acme', 2],
    ['label=tenant=acme&label=region=eu', 1],
    ['label=tenant=acme&event_type=order.item.deleted', 0],
    ['status=no_match', 3],
    ['status=failed&status=successful', 0],
    ['status=no_match&label=region=eu', 1],
    ['since=2020-01-01T00:00:00Z', 3],
    ['until=2020-01-01T00:00:00Z', 0],
    ['page=2&per_page=2', 1],
    ['page=2&per_page=1&label=tenant=acme', 1],
  ])('GET /events?%s lists %d', async (query, count) => {
    expect(await setup.client.list(`/api/v1/events?application_id=${setup.applicationId}&${query}`)).toHaveLength(count);
  });
});

describe('events per day', () => {
  test('are counted in the background', async () => {
    await eventually(async () => {
      const { rowCount } = await database.admin.query({
        text: "select from event.events_per_day_progress where refreshed_at > '-infinity'",
      });
      return rowCount === 1;
    });
  });

  test('are shown of an application and of an organization, today provisional', async () => {
    const setup = await setUpApplication(master);
    await sendEvent(setup);
    await sendEvent(setup);
    const today = new Date().toISOString().slice(0, 10);
    const entry = { application_id: setup.applicationId, application_name: 'Shop', date: today, amount: 2, is_provisional: true };
    const application = `/api/v1/events_per_day/application?application_id=${setup.applicationId}`;
    const organization = `/api/v1/events_per_day/organization?organization_id=${setup.organizationId}`;
    expect(await setup.client.list(application)).toEqual([entry]);
    expect(await setup.client.list(`${application}&from=${today}&to=${today}`)).toEqual([entry]);
    expect(await setup.client.list(`${application}&from=2026-01-01&to=2026-01-31`)).toEqual([]);
    expect(await master.list(organization)).toEqual([entry]);
    expect(await setup.client.call('GET', organization)).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
    expect(await setup.client.expect('GET', `/api/v1/applications/${setup.applicationId}`)).toMatchObject({
      consumption: { events_per_day: 2 },
    });
    expect(await master.expect('GET', `/api/v1/organizations/${setup.organizationId}`)).toMatchObject({
      consumption: { events_per_day: 2 },
    });
  });

  test.each(['from=2026-01-02&to=2026-01-01', 'from=9999-12-31', 'from=2020-01-01&to=2022-01-01'])(
    'the range %s is refused',
    async (range) => {
      const setup = await setUpApplication(master);
      const answers = [
        await setup.client.call('GET', `/api/v1/events_per_day/application?application_id=${setup.applicationId}&${range}`),
        await master.call('GET', `/api/v1/events_per_day/organization?organization_id=${setup.organizationId}&${range}`),
      ];
      expect(answers).toMatchObject([
        { status: 400, body: { id: 'InvalidDateRange' } },
        { status: 400, body: { id: 'InvalidDateRange' } },
      ]);
    },
  );
});
