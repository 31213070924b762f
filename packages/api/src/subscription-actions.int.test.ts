import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { insertRetryAttempt } from '@postrider/shared/database/queries/insert-retry-attempt';
import { loadSubscriptions } from '@postrider/shared/database/queries/load-subscriptions';
import { lockDelivery } from '@postrider/shared/database/queries/lock-delivery';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { newId } from '@postrider/shared/domain/ids';
import { unseal } from '@postrider/shared/secrets/sealed-secret';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

let database: TestDatabase;
let api: ServedApi;
let master: ApiClient;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database);
  ({ master } = api);
});
beforeEach(async () => {
  setup = await setUpApplication(master);
});
afterAll(async () => {
  api.close();
  await database.drop();
});

const unknownId = '00000000-0000-4000-8000-000000000000';

async function ingest(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return String((await setup.client.expect('POST', '/api/v1/event', eventOf(setup, changes)))['event_id']);
}

function read(subscriptionId: string): Promise<Record<string, unknown>> {
  return setup.client.expect('GET', `/api/v1/subscriptions/${subscriptionId}`);
}

/** A subscription in the form in which it is written. */
async function asPost(subscriptionId: string): Promise<Record<string, unknown>> {
  return { ...(await read(subscriptionId)), dedicated_workers: null };
}

function attempts(): Promise<Record<string, unknown>[]> {
  return setup.client.list(`/api/v1/request_attempts?application_id=${setup.applicationId}`);
}

/** How many open attempts of a subscription are in which lane. */
async function lanes(subscriptionId: string): Promise<Record<string, number>> {
  const { rows } = await database.db.query<{ lane: number; count: number }>({
    text: 'select lane, count(*)::integer as count from webhook.open_attempt where subscription_id = $1 group by lane',
    values: [subscriptionId],
  });
  return Object.fromEntries(rows.map(({ lane, count }) => [lane, count]));
}

/** Claims the one attempt that is due, as a worker would. */
async function claimOne() {
  const leaseId = newId();
  const claim = { poolId: 0, lane: 0, leaseId, leaseMs: 30_000, limit: 200, workerProcessId: 1, dueFromMicros: 0 };
  const { attempts: claimed } = await claimRequestAttempts(database.db, claim);
  const own = claimed.filter(({ applicationId }) => applicationId === setup.applicationId);
  const [attempt] = own;
  if (!attempt || own.length > 1) {
    throw new Error(`${own.length} attempts were due.`);
  }
  return { ...attempt, leaseId };
}

async function recordFailure(claimed: Awaited<ReturnType<typeof claimOne>>, retryDelayMs: number | null): Promise<void> {
  await recordOutcomes(database.db, [
    {
      applicationId: claimed.applicationId,
      requestAttemptId: claimed.requestAttemptId,
      leaseId: claimed.leaseId,
      succeeded: false,
      elapsedMs: 1,
      errorName: 'E_HTTP',
      httpCode: 500,
      responseHeaders: {},
      responseBody: null,
      responseBodyTruncated: false,
      retryDelayMs,
      retryCount: retryDelayMs === null ? null : claimed.retryCount + 1,
      reason: retryDelayMs === null ? 'retries_exhausted' : null,
    },
  ]);
}

describe('pause and resume', () => {
  test('park what waits and what comes, and release it', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const eventId = await ingest();

    const paused = await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`);
    expect(paused).toEqual({ subscription_id: subscriptionId, is_paused: true, paused_at: expect.any(String) });
    expect(await read(subscriptionId)).toMatchObject({ is_enabled: true, is_paused: true, paused_at: paused['paused_at'] });
    await eventually(async () => (await lanes(subscriptionId))['1'] === 1);
    await ingest();
    await setup.client.expect('POST', `/api/v1/events/${eventId}/replay`, { application_id: setup.applicationId });
    expect(await lanes(subscriptionId)).toEqual({ 1: 3 });
    expect((await attempts()).map((row) => row['status'])).toMatchObject([{ type: 'pending' }, { type: 'pending' }, { type: 'pending' }]);

    const resumed = await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/resume`);
    expect(resumed).toEqual({ subscription_id: subscriptionId, is_paused: false, paused_at: null });
    await eventually(async () => (await lanes(subscriptionId))['0'] === 3);
    expect(await read(subscriptionId)).toMatchObject({ is_paused: false, paused_at: null });
  });

  test('park the retry of what was in flight, whose outcome counts', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    await ingest();
    const claimed = await claimOne();

    await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`);
    await recordFailure(claimed, 0);

    expect(await lanes(subscriptionId)).toEqual({ 1: 1 });
    expect(await attempts()).toMatchObject([
      { retry_count: 1, status: { type: 'pending' } },
      { retry_count: 0, status: { type: 'failed' } },
    ]);
  });

  test('twice is the same as once, and the first time stays', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const first = await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`);
    expect(await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`)).toEqual(first);
    const resumed = await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/resume`);
    expect(await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/resume`)).toEqual(resumed);
  });

  test('a paused subscription that is written anew stays paused', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`);
    await setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, await asPost(subscriptionId));
    expect(await read(subscriptionId)).toMatchObject({ is_paused: true });
  });
});

describe('rotate_secret', () => {
  /** The secrets that a worker would sign with now. */
  async function signingSecrets(subscriptionId: string): Promise<string[]> {
    const [row] = await loadSubscriptions(database.db, [subscriptionId]);
    return [row?.secret_sealed, ...(row?.previous_secrets_sealed ?? [])].map((sealed) =>
      sealed ? unseal(api.context.secretsKey, sealed, `subscription:${subscriptionId}`) : '',
    );
  }

  function rotate(subscriptionId: string, body?: Record<string, unknown>): Promise<Record<string, unknown>> {
    return setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/rotate_secret`, body);
  }

  test('lets the old secret sign for a day, and shows until when', async () => {
    const { subscriptionId, secret } = await subscribe(setup, 'http://127.0.0.1:9/');
    const rotated = await rotate(subscriptionId);
    expect(rotated['secret']).not.toBe(secret);
    expect(await signingSecrets(subscriptionId)).toEqual([rotated['secret'], secret]);
    expect(await read(subscriptionId)).toMatchObject(rotated);
    const remainingMs = Date.parse(String(rotated['previous_secret_ends_at'])) - Date.now();
    expect(remainingMs).toBeGreaterThan(23.9 * 3_600_000);
    expect(remainingMs).toBeLessThanOrEqual(24 * 3_600_000);
  });

  test.each([
    ['2h', 7200],
    [90, 90],
  ])('takes the overlap %j', async (overlap, seconds) => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const rotated = await rotate(subscriptionId, { overlap });
    const remainingMs = Date.parse(String(rotated['previous_secret_ends_at'])) - Date.now();
    expect(Math.abs(remainingMs - seconds * 1000)).toBeLessThan(60_000);
  });

  test('an overlap of 0 ends all secrets before at once', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    await rotate(subscriptionId);
    const rotated = await rotate(subscriptionId, { overlap: 0 });
    expect(rotated['previous_secret_ends_at']).toBeNull();
    expect(await signingSecrets(subscriptionId)).toEqual([rotated['secret']]);
  });

  test('a secret that has ended signs no more', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const rotated = await rotate(subscriptionId, { overlap: 1 });
    await eventually(async () => (await signingSecrets(subscriptionId)).length === 1);
    expect(await signingSecrets(subscriptionId)).toEqual([rotated['secret']]);
    expect(await read(subscriptionId)).toMatchObject({ previous_secret_ends_at: null });
  });

  test('rotations that overlap keep every secret, up to a bound, also when they come at once', async () => {
    const { subscriptionId, secret } = await subscribe(setup, 'http://127.0.0.1:9/');
    const path = `/api/v1/subscriptions/${subscriptionId}/rotate_secret`;
    const answers = await Promise.all(Array.from({ length: 6 }, () => setup.client.call('POST', path)));
    const refused = answers.filter(({ status }) => status === 422);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(refused).toMatchObject([{ body: { validation: { overlap: [{ code: 'too_many_secrets' }] } } }, {}]);
    const secrets = await signingSecrets(subscriptionId);
    expect(secrets).toHaveLength(5);
    expect(new Set(secrets).size).toBe(5);
    expect(secrets.at(-1)).toBe(secret);
  });

  test.each([['31d'], [-1], [0.5], ['soon'], [true], [{}]])('the overlap %j is refused and named', async (overlap) => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const answer = await setup.client.call('POST', `/api/v1/subscriptions/${subscriptionId}/rotate_secret`, { overlap });
    expect([400, 422]).toContain(answer.status);
    expect(JSON.stringify(answer.body)).toContain('overlap');
  });
});

describe('test', () => {
  test('stores a sample and one attempt for this subscription only, whatever its labels', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/', { labels: { tenant: 'nobody' } });
    await subscribe(setup, 'http://127.0.0.1:9/', { labels: {} });

    const tested = await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/test`);

    expect(await attempts()).toMatchObject([
      { request_attempt_id: tested['request_attempt_id'], subscription: { subscription_id: subscriptionId } },
    ]);
    const path = `/api/v1/events/${String(tested['event_id'])}?application_id=${setup.applicationId}`;
    const event = await setup.client.expect('GET', path);
    expect(event).toMatchObject({ event_type_name: setup.eventType, labels: {}, metadata: { postrider_test: 'true' } });
    expect(JSON.parse(Buffer.from(String(event['payload']), 'base64').toString())).toMatchObject({
      test: true,
      event_type: setup.eventType,
    });
  });

  test('sends the type and the payload that it is given', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const type = { application_id: setup.applicationId, service: 'order', resource_type: 'item', verb: 'shipped' };
    await setup.client.expect('POST', '/api/v1/event_types', type);
    const body = { event_type: 'order.item.shipped', payload: 'hello', payload_content_type: 'text/plain' };
    const tested = await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/test`, body);
    expect(tested).toMatchObject({ event_type: 'order.item.shipped' });
    const path = `/api/v1/events/${String(tested['event_id'])}?application_id=${setup.applicationId}`;
    expect(await setup.client.expect('GET', path)).toMatchObject({
      payload: Buffer.from('hello').toString('base64'),
      payload_content_type: 'text/plain',
    });
  });

  test('goes out while the subscription is paused, and is refused while it is disabled', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`);
    await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/test`);
    expect(await lanes(subscriptionId)).toEqual({ 0: 1 });
    expect(await claimOne()).toMatchObject({ isTest: true });

    await setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, { ...(await asPost(subscriptionId)), is_enabled: false });
    const answer = await setup.client.call('POST', `/api/v1/subscriptions/${subscriptionId}/test`);
    expect(answer).toMatchObject({ status: 422, body: { validation: { subscription_id: [{ code: 'disabled' }] } } });
  });

  test.each([
    ['event_type', { event_type: 'no.such.type' }, 400, 'no.such.type'],
    ['event_type', { event_type: '' }, 422, 'event_type'],
    ['event_type', { event_type: 7 }, 400, 'event_type'],
    ['payload', { payload: '{' }, 400, 'JSON'],
    ['payload_content_type', { payload: 'x', payload_content_type: 'image/png' }, 400, 'payload_content_type'],
  ])('a wrong %s is refused and named: %j', async (_field, body, status, named) => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const answer = await setup.client.call('POST', `/api/v1/subscriptions/${subscriptionId}/test`, body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(named);
  });
});

describe('match', () => {
  test('says who gets an event and why the others do not, as ingest then does', async () => {
    const target = 'http://127.0.0.1:9/';
    await setup.client.expect('POST', '/api/v1/event_types', {
      application_id: setup.applicationId,
      service: 'order',
      resource_type: 'item',
      verb: 'shipped',
    });
    const ids = {
      everything: (await subscribe(setup, target, { labels: {} })).subscriptionId,
      paused: (await subscribe(setup, target)).subscriptionId,
      disabled: (await subscribe(setup, target, { is_enabled: false })).subscriptionId,
      otherType: (await subscribe(setup, target, { event_types: ['order.item.shipped'] })).subscriptionId,
      missing: (await subscribe(setup, target, { labels: { tenant: 'acme', region: 'eu' } })).subscriptionId,
      differs: (await subscribe(setup, target, { labels: { tenant: 'other' } })).subscriptionId,
    };
    await setup.client.expect('POST', `/api/v1/subscriptions/${ids.paused}/pause`);

    const event = { application_id: setup.applicationId, event_type: setup.eventType, labels: { tenant: 'acme' } };
    const { subscriptions } = await setup.client.expect('POST', '/api/v1/subscriptions/match', event);

    const none = { label: null, wanted: null, got: null };
    const explained = [
      [ids.everything, 'now', []],
      [ids.paused, 'when_resumed', [{ code: 'paused', ...none }]],
      [ids.disabled, 'never', [{ code: 'disabled', ...none }]],
      [ids.otherType, 'never', [{ code: 'event_type_not_listed', ...none }]],
      [ids.missing, 'never', [{ code: 'label_missing', label: 'region', wanted: 'eu', got: null }]],
      [ids.differs, 'never', [{ code: 'label_differs', label: 'tenant', wanted: 'other', got: 'acme' }]],
    ];
    expect(subscriptions).toEqual(
      explained.map(([id, delivery, reasons]) => ({ subscription_id: id, description: null, delivery, reasons })),
    );
    expect(await attempts()).toEqual([]);
    await ingest();
    const reached = (await attempts()).map((row) => row['subscription']);
    expect(reached).toEqual(expect.arrayContaining([ids.everything, ids.paused].map((id) => ({ subscription_id: id, description: null }))));
    expect(reached).toHaveLength(2);
  });

  test.each([
    ['event_type', 'no.such.type', 400, 'no.such.type'],
    ['event_type', undefined, 400, 'event_type'],
    ['labels', undefined, 400, 'labels'],
    ['labels', { a: '' }, 422, 'labels'],
    ['application_id', unknownId, 403, 'Forbidden'],
  ])('%s %j is refused', async (field, value, status, named) => {
    const body = { application_id: setup.applicationId, event_type: setup.eventType, labels: {}, [field]: value };
    const answer = await setup.client.call('POST', '/api/v1/subscriptions/match', body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(named);
  });
});

describe('retry', () => {
  function retry(requestAttemptId: string): Promise<Record<string, unknown>> {
    return setup.client.expect('POST', `/api/v1/request_attempts/${requestAttemptId}/retry`, { application_id: setup.applicationId });
  }

  test('makes one new attempt of a finished one, however often and however fast it is asked for', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const eventId = await ingest();
    const first = await claimOne();
    await recordFailure(first, null);

    const answers = await Promise.all(Array.from({ length: 8 }, () => retry(first.requestAttemptId)));

    expect(new Set(answers.map((answer) => answer['request_attempt_id'])).size).toBe(1);
    expect(answers.filter((answer) => answer['outcome'] === 'created')).toHaveLength(1);
    expect(answers[0]).toMatchObject({ event_id: eventId, subscription_id: subscriptionId });
    expect(await attempts()).toMatchObject([
      { request_attempt_id: answers[0]?.['request_attempt_id'], retry_count: 1, event_id: eventId, status: { type: 'pending' } },
      { request_attempt_id: first.requestAttemptId, status: { type: 'failed' } },
    ]);
  });

  test('waits for a call that is making the attempt, and takes that one', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const eventId = await ingest();
    const first = await claimOne();
    await recordFailure(first, null);
    let second: Promise<Record<string, unknown>> = Promise.resolve({});

    const made = await database.db.transaction(async (transaction) => {
      await lockDelivery(transaction, eventId, subscriptionId);
      const row = await insertRetryAttempt(transaction, { applicationId: setup.applicationId, eventId, subscriptionId });
      second = retry(first.requestAttemptId);
      await eventually(async () => {
        const { rowCount } = await database.admin.query({ text: "select from pg_locks where locktype = 'advisory' and not granted" });
        return rowCount === 1;
      });
      return row;
    });

    expect(await second).toMatchObject({ request_attempt_id: made?.request_attempt_id, outcome: 'hastened' });
    expect(await attempts()).toHaveLength(2);
  });

  test('makes a waiting attempt due, whether it or the one before it is named', async () => {
    await subscribe(setup, 'http://127.0.0.1:9/');
    await ingest();
    const first = await claimOne();
    await recordFailure(first, 3_600_000);
    const [waiting] = await attempts();
    expect(waiting).toMatchObject({ status: { type: 'waiting' } });

    const hastened = await retry(first.requestAttemptId);

    expect(hastened).toMatchObject({ request_attempt_id: waiting?.['request_attempt_id'], outcome: 'hastened' });
    expect(await attempts()).toMatchObject([{ status: { type: 'pending' } }, { status: { type: 'failed' } }]);
    expect(await retry(String(waiting?.['request_attempt_id']))).toEqual(hastened);
    expect(await claimOne()).toMatchObject({ retryCount: 1 });
    expect(await retry(first.requestAttemptId)).toEqual({ ...hastened, outcome: 'in_progress' });
    expect(await attempts()).toHaveLength(2);
  });

  test('waits while the subscription is paused, and is refused while it is disabled or when it is gone', async () => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    await ingest();
    const first = await claimOne();
    await recordFailure(first, null);
    await setup.client.expect('POST', `/api/v1/subscriptions/${subscriptionId}/pause`);
    expect(await retry(first.requestAttemptId)).toMatchObject({ outcome: 'created' });
    expect(await lanes(subscriptionId)).toEqual({ 1: 1 });

    const path = `/api/v1/request_attempts/${first.requestAttemptId}/retry`;
    await setup.client.expect('PUT', `/api/v1/subscriptions/${subscriptionId}`, { ...(await asPost(subscriptionId)), is_enabled: false });
    const disabled = await setup.client.call('POST', path, { application_id: setup.applicationId });
    expect(disabled).toMatchObject({ status: 422, body: { validation: { request_attempt_id: [{ code: 'subscription_disabled' }] } } });
    await setup.client.call('DELETE', `/api/v1/subscriptions/${subscriptionId}?application_id=${setup.applicationId}`);
    expect(await setup.client.call('POST', path, { application_id: setup.applicationId })).toMatchObject({ status: 404 });
  });
});

describe('policies', () => {
  const phases = {
    delays: null,
    max_fast_retries: null,
    fast_retry_delay: null,
    fast_retry_max_delay: null,
    max_slow_retries: null,
    slow_retry_delay: null,
    slow_retry_max_delay: null,
  };

  test('are shown in seconds as they were given, can be written back, and go when they are left out', async () => {
    const given = {
      retry_schedule: { delays: [5, '1m', '2h'] },
      timeout: '10s',
      max_in_flight: 3,
      rate_limit: { requests: 100, period: '1m' },
    };
    const shown = {
      retry_schedule: { ...phases, delays: [5, 60, 7200] },
      timeout: 10,
      max_in_flight: 3,
      rate_limit: { requests: 100, period: 60 },
    };
    const none = { retry_schedule: null, timeout: null, max_in_flight: null, rate_limit: null };
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/', given);
    expect(await read(subscriptionId)).toMatchObject(shown);

    const path = `/api/v1/subscriptions/${subscriptionId}`;
    expect(await setup.client.expect('PUT', path, await asPost(subscriptionId))).toMatchObject(shown);
    const without = Object.fromEntries(Object.entries(await asPost(subscriptionId)).filter(([name]) => !(name in none)));
    expect(await setup.client.expect('PUT', path, without)).toMatchObject(none);
  });

  test('a schedule is a list of delays, none for no retries, or the numbers of both phases', async () => {
    const numbers = { max_fast_retries: 3, fast_retry_delay: 1, max_slow_retries: 0 };
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/', { retry_schedule: numbers });
    expect(await read(subscriptionId)).toMatchObject({ retry_schedule: { ...phases, ...numbers } });
    const never = await subscribe(setup, 'http://127.0.0.1:9/', { retry_schedule: { delays: [] } });
    expect(await read(never.subscriptionId)).toMatchObject({ retry_schedule: { ...phases, delays: [] } });
  });

  const cases: [field: string, value: unknown, status: number][] = [
    ['retry_schedule', {}, 422],
    ['retry_schedule', 7, 400],
    ['retry_schedule', { delays: [5], max_fast_retries: 3 }, 422],
    ['retry_schedule', { delays: Array.from({ length: 101 }, () => 5) }, 422],
    ['retry_schedule', { delays: Array.from({ length: 31 }, () => '1d') }, 422],
    ['retry_schedule.delays.0', { delays: [0] }, 422],
    ['retry_schedule.delays.1', { delays: [5, '8d'] }, 422],
    ['retry_schedule.delays.0', { delays: ['soon'] }, 422],
    ['retry_schedule.delays.0', { delays: [true] }, 400],
    ['retry_schedule.max_fast_retries', { max_fast_retries: -1 }, 422],
    ['retry_schedule.max_slow_retries', { max_slow_retries: 1001 }, 422],
    ['retry_schedule.fast_retry_delay', { fast_retry_delay: '1500ms' }, 422],
    ['retry_schedule', { fast_retry_delay: '6m' }, 422],
    ['timeout', 0, 422],
    ['timeout', 121, 422],
    ['timeout', [], 400],
    ['max_in_flight', 0, 422],
    ['max_in_flight', 1001, 422],
    ['max_in_flight', 1.5, 400],
    ['rate_limit', {}, 400],
    ['rate_limit.requests', { requests: 0, period: 1 }, 422],
    ['rate_limit.period', { requests: 1, period: '2d' }, 422],
  ];
  test.each(cases)('%s is refused and named: %j with %d', async (field, value, status) => {
    const [member = ''] = field.split('.');
    const answer = await setup.client.call('POST', '/api/v1/subscriptions', {
      application_id: setup.applicationId,
      is_enabled: true,
      event_types: [setup.eventType],
      labels: {},
      target: { type: 'http', method: 'POST', url: 'https://example.com/' },
      [member]: value,
    });
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(field);
  });
});

describe('strangers and nonsense', () => {
  test.each(['pause', 'resume', 'rotate_secret', 'test'])('%s is not for other applications, unknown ids or none', async (action) => {
    const { subscriptionId } = await subscribe(setup, 'http://127.0.0.1:9/');
    const stranger = (await setUpApplication(master)).client;
    const path = (id: string): string => `/api/v1/subscriptions/${id}/${action}`;
    expect(await stranger.call('POST', path(subscriptionId))).toMatchObject({ status: 404, body: { id: 'NotFound' } });
    expect(await setup.client.call('POST', path(unknownId))).toMatchObject({ status: 404, body: { id: 'NotFound' } });
    const malformed = await setup.client.call('POST', path('nonsense'));
    expect(malformed).toMatchObject({ status: 422, body: { validation: { subscription_id: [{}] } } });
    expect(await setup.client.withToken(null).call('POST', path(subscriptionId))).toMatchObject({ status: 401 });
    expect(await setup.client.call('GET', path(subscriptionId))).toMatchObject({ status: 405 });
  });

  test('retry is not for other applications, unknown ids or none', async () => {
    await subscribe(setup, 'http://127.0.0.1:9/');
    await ingest();
    const [attempt] = await attempts();
    const stranger = await setUpApplication(master);
    const path = (id: unknown): string => `/api/v1/request_attempts/${String(id)}/retry`;
    const own = { application_id: setup.applicationId };
    const id = attempt?.['request_attempt_id'];
    expect(await stranger.client.call('POST', path(id), own)).toMatchObject({ status: 403 });
    expect(await stranger.client.call('POST', path(id), { application_id: stranger.applicationId })).toMatchObject({ status: 404 });
    expect(await setup.client.call('POST', path(unknownId), own)).toMatchObject({ status: 404 });
    expect(await setup.client.call('POST', path('nonsense'), own)).toMatchObject({ status: 422 });
    const missing = await setup.client.call('POST', path(id), {});
    expect(missing).toMatchObject({ status: 400, body: { id: 'JsonPayload' } });
    expect(JSON.stringify(missing.body)).toContain('application_id');
  });
});
