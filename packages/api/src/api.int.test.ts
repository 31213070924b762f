import { type IncomingMessage, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { DocumentedAnswers } from '@postrider/testkit/documented-answers';
import { testMasterKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

let database: TestDatabase;
let api: ServedApi;
let documented: DocumentedAnswers;
let master: ApiClient;
let setup: ApplicationSetup;
let url: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database);
  ({ url } = api);
  documented = await DocumentedAnswers.of(url);
  // Every answer of these tests is held to the OpenAPI document.
  master = new ApiClient(url, testMasterKey, documented.check);
  setup = await setUpApplication(master);
});
afterAll(async () => {
  api.close();
  await database.drop();
});

/** The request as it would be right, with one member changed; undefined takes it out. */
function changed(body: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  const inner = body[first];
  const isInside = rest.length > 0 && typeof inner === 'object' && inner !== null;
  return { ...body, [first]: isInside ? changed({ ...inner }, rest.join('.'), value) : value };
}

function subscriptionPost(): Record<string, unknown> {
  return {
    application_id: setup.applicationId,
    is_enabled: true,
    event_types: [setup.eventType],
    description: 'mine',
    metadata: { a: 'b' },
    labels: { tenant: 'acme' },
    target: { type: 'http', method: 'POST', url: 'https://example.com/hook', headers: { 'x-a': 'b' } },
  };
}

const many = (count: number, of: (index: number) => unknown): unknown[] => Array.from({ length: count }, (_, index) => of(index));
const manyLabels = (count: number): Record<string, string> =>
  Object.fromEntries(
    many(count, (index) => [`k${index}`, 'v'])
      .map(String)
      .map((text) => [text, 'v']),
  );

describe('bad input', () => {
  const long = 'x'.repeat(1001);
  const eventCases: [field: string, value: unknown, status: number, id: string][] = [
    ['application_id', undefined, 400, 'JsonPayload'],
    ['application_id', 7, 400, 'JsonPayload'],
    ['application_id', 'nonsense', 400, 'JsonPayload'],
    ['event_id', 'nonsense', 400, 'JsonPayload'],
    ['event_id', 7, 400, 'JsonPayload'],
    ['event_type', undefined, 400, 'JsonPayload'],
    ['event_type', '', 422, 'Validation'],
    ['event_type', 'x'.repeat(201), 422, 'Validation'],
    ['event_type', 'a\u0000b', 422, 'Validation'],
    ['payload', undefined, 400, 'JsonPayload'],
    ['payload', '{', 400, 'EventInvalidJsonPayload'],
    ['payload_content_type', undefined, 400, 'JsonPayload'],
    ['payload_content_type', 'image/png', 400, 'EventInvalidPayloadContentType'],
    ['occurred_at', undefined, 400, 'JsonPayload'],
    ['occurred_at', 'yesterday', 400, 'JsonPayload'],
    ['occurred_at', '2026-02-30T00:00:00Z', 400, 'JsonPayload'],
    ['occurred_at', '9999-12-31T23:59:59-00:01', 400, 'JsonPayload'],
    ['occurred_at', '0000-01-01T00:00:00+00:01', 400, 'JsonPayload'],
    ['labels', undefined, 400, 'JsonPayload'],
    ['labels', { a: 7 }, 400, 'JsonPayload'],
    ['labels', { a: '' }, 422, 'Validation'],
    ['labels', { a: 'é'.repeat(26) }, 422, 'Validation'],
    ['labels', { a: '\u0000' }, 422, 'Validation'],
    ['labels', manyLabels(11), 422, 'Validation'],
    ['metadata', { a: 'x'.repeat(51) }, 422, 'Validation'],
    ['metadata', manyLabels(51), 422, 'Validation'],
  ];
  test.each(eventCases)('an event with %s %j is refused with %d %s', async (field, value, status, id) => {
    const answer = await setup.client.call('POST', '/api/v1/event', changed(eventOf(setup), field, value));
    expect(answer).toMatchObject({ status, body: { id, status } });
    expect(JSON.stringify(answer.body)).toContain(field.split('_')[0]);
  });

  const subscriptionCases: [field: string, value: unknown, status: number][] = [
    ['application_id', undefined, 400],
    ['is_enabled', undefined, 400],
    ['is_enabled', 'yes', 400],
    ['event_types', undefined, 400],
    ['event_types', [], 422],
    ['event_types', many(101, String), 422],
    ['description', '', 422],
    ['description', 'x'.repeat(101), 422],
    ['metadata', { a: 'x'.repeat(101) }, 422],
    ['labels', manyLabels(11), 422],
    ['labels', { a: 'x'.repeat(101) }, 422],
    ['target', undefined, 400],
    ['target.type', 'smtp', 422],
    ['target.method', 'TRACE', 422],
    ['target.method', 7, 400],
    ['target.url', '', 422],
    ['target.url', 'ftp://example.com/', 422],
    ['target.url', 'https://example.com/a\u0000b', 422],
    ['target.url', 'https://example.com/\ud800', 422],
    ['target.url', `https://example.com/${long}`, 422],
    ['target.headers', { 'bad name': 'x' }, 422],
    ['target.headers', { Host: 'x' }, 422],
    ['target.headers', { 'User-Agent': 'x' }, 422],
    ['target.headers', manyLabels(11), 422],
    ['dedicated_workers', [], 422],
    ['dedicated_workers', many(21, String), 422],
  ];
  test.each(subscriptionCases)('a subscription with %s %j is refused with %d and names the field', async (field, value, status) => {
    const answer = await setup.client.call('POST', '/api/v1/subscriptions', changed(subscriptionPost(), field, value));
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(field);
  });

  test.each([
    ['POST', '/api/v1/event_types', { service: '', resource_type: 'b', verb: 'c' }, 422, 'service'],
    ['POST', '/api/v1/event_types', { service: 'a', resource_type: 'x'.repeat(51), verb: 'c' }, 422, 'resource_type'],
    ['POST', '/api/v1/event_types', { service: 'a', resource_type: 'b' }, 400, 'verb'],
    ['POST', '/api/v1/application_secrets', { name: 'x'.repeat(51) }, 422, 'name'],
  ])('%s %s with %j is refused with %d naming %s', async (method, path, body, status, field) => {
    const answer = await setup.client.call(method, path, { application_id: setup.applicationId, ...body });
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(field);
  });

  test.each([
    ['/api/v1/organizations', { name: 'x' }, 422, 'Validation'],
    ['/api/v1/organizations', { name: ' ' }, 400, 'OrganizationNameMissing'],
    ['/api/v1/organizations', {}, 400, 'JsonPayload'],
    ['/api/v1/applications', { organization_id: '00000000-0000-0000-0000-000000000000', name: 'fine' }, 403, 'Forbidden'],
    ['/api/v1/applications', { organization_id: '00000000-0000-0000-0000-000000000000', name: '' }, 400, 'ApplicationNameMissing'],
    ['/api/v1/workers', { name: '', public: true }, 422, 'Validation'],
    ['/api/v1/workers', { name: 'w' }, 400, 'JsonPayload'],
  ])('POST %s with %j is refused with %d %s', async (path, body, status, id) => {
    expect(await master.call('POST', path, body)).toMatchObject({ status, body: { id } });
  });

  test.each([
    '/events?application_id=nonsense',
    '/events?per_page=10',
    '/events?application_id=APP&per_page=0',
    '/events?application_id=APP&since=yesterday',
    '/events?application_id=APP&label=none',
    '/events?application_id=APP&pagination_cursor=nonsense',
    '/events/nonsense?application_id=APP',
    '/request_attempts?application_id=APP&status=done',
    '/request_attempts?application_id=APP&event_id=7',
    '/responses/nonsense?application_id=APP',
  ])('GET %s is refused with a validation problem', async (path) => {
    const answer = await setup.client.call('GET', `/api/v1${path.replace('APP', setup.applicationId)}`);
    expect(answer).toMatchObject({ status: 422, body: { id: 'Validation' } });
    expect(Object.keys(Object(answer.body).validation)).toHaveLength(1);
  });

  test.each([
    ['not JSON', '{"a":', {}, 400],
    ['nothing', '', {}, 400],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}, 400],
    ['another media type', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['an unknown encoding', '{}', { 'content-encoding': 'br' }, 415],
    ['broken gzip', '{}', { 'content-encoding': 'gzip' }, 400],
    ['too much', JSON.stringify({ payload: 'x'.repeat(70_000) }), {}, 413],
  ])('a body that is %s is refused', async (_name, body, headers, status) => {
    const answer = await setup.client.call('POST', '/api/v1/event', body, { 'content-type': 'application/json', ...headers });
    expect(answer).toMatchObject({ status, body: { id: 'JsonPayload', status } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('gzip is expanded, and its limit is that of what it expands to', async () => {
    const small = gzipSync(JSON.stringify(eventOf(setup)));
    const bomb = gzipSync(JSON.stringify(eventOf(setup, { payload: 'x'.repeat(1_000_000) })));
    expect(await setup.client.call('POST', '/api/v1/event', small, { 'content-encoding': 'gzip' })).toMatchObject({ status: 201 });
    expect(await setup.client.call('POST', '/api/v1/event', bomb, { 'content-encoding': 'gzip' })).toMatchObject({ status: 413 });
  });
});

describe('authentication', () => {
  test.each([
    [null, 401, 'AuthNoAuthorizationHeader'],
    ['nonsense', 403, 'AuthInvalidBiscuit'],
    ['00000000-0000-4000-8000-000000000000', 403, 'AuthInvalidBiscuit'],
  ])('the token %s is answered with %d %s before the content is looked at', async (token, status, id) => {
    expect(await master.withToken(token).call('POST', '/api/v1/event', '{"broken')).toMatchObject({ status, body: { id } });
  });

  test('bytes that are not text are told apart', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      httpRequest(
        `${url}/api/v1/organizations`,
        { headers: { authorization: Buffer.from([0x42, 0xff]).toString('latin1') } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(400);
  });

  test('a bare token is accepted', async () => {
    const response = await fetch(`${url}/api/v1/event_types?application_id=${setup.applicationId}`, {
      headers: { authorization: setup.secret },
    });
    expect(response.status).toBe(200);
  });

  test('application secrets may not act on organizations, nor on another application', async () => {
    const other = await setUpApplication(master);
    expect(await setup.client.call('GET', '/api/v1/organizations')).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
    expect(await setup.client.call('POST', '/api/v1/applications', {})).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
    for (const path of ['events', 'event_types', 'subscriptions', 'request_attempts', 'application_secrets']) {
      expect(await setup.client.call('GET', `/api/v1/${path}?application_id=${other.applicationId}`)).toMatchObject({ status: 403 });
    }
    expect(await setup.client.call('POST', '/api/v1/event', eventOf(other))).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
    expect(await setup.client.call('DELETE', `/api/v1/applications/${other.applicationId}`)).toMatchObject({ status: 403 });
    const foreign = await subscribe(other, 'https://example.com/');
    expect(await setup.client.call('GET', `/api/v1/subscriptions/${foreign.subscriptionId}`)).toMatchObject({ status: 404 });
  });

  test('a deleted secret is refused at once', async () => {
    const secret = await setup.client.expect('POST', '/api/v1/application_secrets', {
      application_id: setup.applicationId,
      name: 'short-lived',
    });
    const client = master.withToken(String(secret['token']));
    expect(await client.call('GET', `/api/v1/events?application_id=${setup.applicationId}`)).toMatchObject({ status: 200 });
    await setup.client.expect('DELETE', `/api/v1/application_secrets/${String(secret['token'])}?application_id=${setup.applicationId}`);
    expect(await client.call('GET', `/api/v1/events?application_id=${setup.applicationId}`)).toMatchObject({ status: 403 });
  });

  test('the master key may do everything, but not for an application that does not exist', async () => {
    expect(await master.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject({ status: 201 });
    const nobody = { ...eventOf(setup), application_id: '00000000-0000-0000-0000-000000000000' };
    expect(await master.call('POST', '/api/v1/event', nobody)).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
  });
});

describe('events', () => {
  test('are committed with their attempts when the answer comes', async () => {
    const own = await setUpApplication(master);
    const subscription = await subscribe(own, 'https://example.com/');
    const ingested = await own.client.expect('POST', '/api/v1/event', eventOf(own));
    expect(ingested).toEqual({ application_id: own.applicationId, event_id: expect.any(String), received_at: expect.stringMatching(/Z$/) });
    const attempts = await own.client.list(
      `/api/v1/request_attempts?application_id=${own.applicationId}&event_id=${String(ingested['event_id'])}`,
    );
    expect(attempts).toEqual([
      {
        request_attempt_id: expect.any(String),
        event_id: ingested['event_id'],
        event: { event_id: ingested['event_id'], event_type_name: own.eventType },
        subscription: { subscription_id: subscription.subscriptionId, description: null },
        created_at: expect.any(String),
        picked_at: null,
        failed_at: null,
        succeeded_at: null,
        delay_until: null,
        response_id: null,
        retry_count: 0,
        http_response_status: null,
        status: { type: 'pending', since: expect.any(String) },
        reason: null,
        why: null,
        hold_until: null,
      },
    ]);
  });

  test('a repeated event_id is 409, and says whether the content differs', async () => {
    const event = eventOf(setup, { event_id: crypto.randomUUID() });
    expect(await setup.client.call('POST', '/api/v1/event', event)).toMatchObject({ status: 201 });
    expect(await setup.client.call('POST', '/api/v1/event', event)).toMatchObject({
      status: 409,
      body: { id: 'EventAlreadyIngested', code: 'same_content' },
    });
    const different = await setup.client.call('POST', '/api/v1/event', { ...event, payload: '{}' });
    expect(different).toMatchObject({ status: 409, body: { id: 'EventAlreadyIngested', code: 'different_content' } });
    expect(Object(different.body).detail).toContain('different content');
  });

  test.each([
    ['a text', { payload: 'plain ✓', payload_content_type: 'text/plain' }, 'plain ✓'],
    ['JSON text, byte for byte', { payload: '{ "a" : 1.0 }' }, '{ "a" : 1.0 }'],
    ['a JSON value', { payload: { a: [1, null] } }, '{"a":[1,null]}'],
    [
      'bytes',
      { payload: Buffer.from([0, 255, 1]).toString('base64'), payload_content_type: 'application/octet-stream+base64' },
      '\u0000\ufffd\u0001',
    ],
  ])('keep %s as it was sent', async (_name, changes, text) => {
    const { event_id: eventId } = await setup.client.expect('POST', '/api/v1/event', eventOf(setup, changes));
    const event = await setup.client.expect('GET', `/api/v1/events/${String(eventId)}?application_id=${setup.applicationId}`);
    expect(Buffer.from(String(event['payload']), 'base64').toString()).toBe(text);
  });

  test.each(['2026-01-01T00:00:00Z', '2026-01-01 01:00:00+01:00', '2025-12-31T19:00:00.000000000-05:00', '2026-01-01t00:00:00z'])(
    'take %s for the same time',
    async (occurredAt) => {
      const { event_id: eventId } = await setup.client.expect(
        'POST',
        '/api/v1/event',
        eventOf(setup, { occurred_at: occurredAt, event_id: null, metadata: null }),
      );
      const event = await setup.client.expect('GET', `/api/v1/events/${String(eventId)}?application_id=${setup.applicationId}`);
      expect(event).toMatchObject({ occurred_at: '2026-01-01T00:00:00.000Z', metadata: {}, ip: '127.0.0.1' });
    },
  );

  test('are listed newest first, in pages that lose and repeat nothing while more arrive', async () => {
    const own = await setUpApplication(master);
    const ingested = [];
    for (let count = 0; count < 25; count += 1) {
      ingested.push((await own.client.expect('POST', '/api/v1/event', eventOf(own, { labels: { number: String(count) } })))['event_id']);
    }
    const seen: unknown[] = [];
    let path: string | null = `/api/v1/events?application_id=${own.applicationId}&per_page=10`;
    while (path !== null) {
      const answer = await own.client.call('GET', path);
      seen.push(...Array.from(Object(answer.body)).map((event) => Object(event).event_id));
      await own.client.expect('POST', '/api/v1/event', eventOf(own, { labels: {} }));
      const link = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
      path = link === undefined ? null : link.replace(url, '');
    }
    expect(seen).toEqual(ingested.toReversed());
    expect(await own.client.list(`/api/v1/events?application_id=${own.applicationId}&label=number=7&label=number=7`)).toHaveLength(1);
    expect(await own.client.list(`/api/v1/events?application_id=${own.applicationId}&event_type=unknown`)).toEqual([]);
    expect(await own.client.list(`/api/v1/events?application_id=${own.applicationId}&page=2&per_page=20`)).toHaveLength(8);
    expect(await own.client.list(`/api/v1/events?application_id=${own.applicationId}&until=2020-01-01T00:00:00Z`)).toEqual([]);
  });

  test('are found by a label with a question mark', async () => {
    const own = await setUpApplication(master);
    await own.client.expect('POST', '/api/v1/event', eventOf(own, { labels: { q: 'who?me' } }));
    expect(await own.client.list(`/api/v1/events?application_id=${own.applicationId}&label=q=who?me`)).toHaveLength(1);
  });

  test('are replayed to all matching subscriptions, or to one', async () => {
    const own = await setUpApplication(master);
    const one = await subscribe(own, 'https://example.com/1');
    await subscribe(own, 'https://example.com/2');
    const { event_id: eventId } = await own.client.expect('POST', '/api/v1/event', eventOf(own));
    const replay = (changes: object) =>
      own.client.call('POST', `/api/v1/events/${String(eventId)}/replay`, { application_id: own.applicationId, ...changes });
    expect(await replay({})).toMatchObject({ status: 204 });
    expect(await replay({ subscription_id: one.subscriptionId })).toMatchObject({ status: 204 });
    const attempts = await own.client.list(`/api/v1/request_attempts?application_id=${own.applicationId}`);
    expect(attempts).toHaveLength(5);
    const missing = `/api/v1/events/${crypto.randomUUID()}/replay`;
    expect(await own.client.call('POST', missing, { application_id: own.applicationId })).toMatchObject({ status: 404 });
  });
});

describe('subscriptions', () => {
  test('show all of themselves, and keep their secret when they change', async () => {
    const created = await setup.client.expect('POST', '/api/v1/subscriptions', subscriptionPost());
    expect(created).toEqual({
      application_id: setup.applicationId,
      subscription_id: expect.any(String),
      is_enabled: true,
      is_paused: false,
      paused_at: null,
      status: 'active',
      hold_until: null,
      why: null,
      failing_since: null,
      previous_secret_ends_at: null,
      disabled_reason: null,
      event_types: [setup.eventType],
      description: 'mine',
      secret: expect.stringMatching(/^[0-9a-f-]{36}$/),
      standard_webhooks_secret: expect.stringMatching(/^whsec_/),
      metadata: { a: 'b' },
      label_key: 'tenant',
      label_value: 'acme',
      labels: { tenant: 'acme' },
      target: { type: 'http', method: 'POST', url: 'https://example.com/hook', headers: { 'x-a': 'b' } },
      created_at: expect.any(String),
      updated_at: expect.any(String),
      dedicated_workers: [],
      retry_schedule: null,
      timeout: null,
      max_in_flight: null,
      rate_limit: null,
      warnings: [],
    });
    const path = `/api/v1/subscriptions/${String(created['subscription_id'])}`;
    const put = await setup.client.expect('PUT', path, { ...subscriptionPost(), description: null, labels: {}, is_enabled: false });
    expect(put).toMatchObject({
      secret: created['secret'],
      description: null,
      labels: {},
      label_key: '',
      is_enabled: false,
      disabled_reason: 'by_request',
    });
    expect(await setup.client.expect('GET', path)).toMatchObject({ is_enabled: false });
    await setup.client.expect('DELETE', `${path}?application_id=${setup.applicationId}`);
    expect(await setup.client.call('GET', path)).toMatchObject({ status: 404 });
  });

  test('take the older form of labels, and refuse half of it', async () => {
    const pair = { ...subscriptionPost(), labels: null, label_key: 'tenant', label_value: 'acme' };
    expect(await setup.client.expect('POST', '/api/v1/subscriptions', pair)).toMatchObject({ labels: { tenant: 'acme' } });
    for (const half of [{ label_value: null }, { label_key: null }, { label_key: null, label_value: null }]) {
      expect(await setup.client.call('POST', '/api/v1/subscriptions', { ...pair, ...half })).toMatchObject({
        status: 400,
        body: { id: 'LabelsAmbiguity' },
      });
    }
  });

  test('refuse unknown event types and workers', async () => {
    const unknownType = await setup.client.call('POST', '/api/v1/subscriptions', { ...subscriptionPost(), event_types: ['no.such.type'] });
    expect(unknownType).toMatchObject({ status: 400, body: { id: 'EventTypeDoesNotExist' } });
    const unknownWorker = await setup.client.call('POST', '/api/v1/subscriptions', {
      ...subscriptionPost(),
      dedicated_workers: ['nobody'],
    });
    expect(unknownWorker).toMatchObject({ status: 400, body: { id: 'UnauthorizedWorkers' } });
  });

  test.each([
    ['http://127.0.0.1:8080/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://2852039166/latest/meta-data/', '169.254.169.254'],
    ['http://[::ffff:10.0.0.1]/', '[::ffff:a00:1]'],
    ['http://LOCALHOST:8080/', 'localhost'],
  ])('warn of what is probably not meant: %s', async (targetUrl, host) => {
    const post = changed(subscriptionPost(), 'target.url', targetUrl);
    const plain = expect.stringContaining('plain http');
    const forbidden = expect.stringContaining(`leads to ${host}, a private address: workers refuse it unless ALLOWED_TARGET_CIDRS`);
    const created = await setup.client.expect('POST', '/api/v1/subscriptions', post);
    expect(created['warnings']).toEqual([plain, forbidden]);
    const put = await setup.client.expect('PUT', `/api/v1/subscriptions/${String(created['subscription_id'])}`, post);
    expect(put['warnings']).toEqual([plain, forbidden]);
  });

  test.each(['https://8.8.8.8/', 'https://127.0.0.1.nip.io/', 'https://[2606:4700:4700::1111]/'])(
    'do not warn of %s',
    async (targetUrl) => {
      const post = changed(subscriptionPost(), 'target.url', targetUrl);
      expect((await setup.client.expect('POST', '/api/v1/subscriptions', post))['warnings']).toEqual([]);
    },
  );

  test('cancel their attempts from the answer on when they are disabled, and stay readable', async () => {
    const own = await setUpApplication(master);
    const subscription = await subscribe(own, 'https://example.com/');
    await own.client.expect('POST', '/api/v1/event', eventOf(own));
    const put = { ...subscriptionPost(), application_id: own.applicationId, is_enabled: false };
    await own.client.expect('PUT', `/api/v1/subscriptions/${subscription.subscriptionId}`, put);
    const [attempt] = await own.client.list(`/api/v1/request_attempts?application_id=${own.applicationId}`);
    expect(attempt).toMatchObject({
      reason: 'cancelled',
      failed_at: expect.any(String),
      status: { type: 'failed', full_processing_ms: expect.any(Number) },
    });
    await own.client.expect('PUT', `/api/v1/subscriptions/${subscription.subscriptionId}`, { ...put, is_enabled: true });
    expect(await own.client.list(`/api/v1/request_attempts?application_id=${own.applicationId}&status=failed`)).toHaveLength(1);
  });
});

describe('workers and organizations', () => {
  test('attempts follow the workers that are assigned to an organization', async () => {
    const own = await setUpApplication(master);
    await subscribe(own, 'https://example.com/');
    await own.client.expect('POST', '/api/v1/event', eventOf(own));
    const worker = await master.expect('POST', '/api/v1/workers', { name: 'inside', public: false });
    const assignment = `/api/v1/organizations/${own.organizationId}/workers/${String(worker['worker_id'])}`;
    const pools = async () => {
      const { rows } = await database.admin.query<{ pool_id: number }>({
        text: 'select pool_id from webhook.open_attempt where application_id = $1',
        values: [own.applicationId],
      });
      return rows.map((row) => row.pool_id);
    };
    const before = await pools();
    await master.expect('PUT', assignment);
    const during = await pools();
    expect(await master.call('DELETE', `/api/v1/workers/${String(worker['worker_id'])}`)).toMatchObject({
      status: 409,
      body: { code: 'worker_in_use' },
    });
    await master.expect('DELETE', assignment);
    expect([before, during.every((pool) => pool > 0), await pools()]).toEqual([[0], true, [0]]);
    expect(await master.call('POST', '/api/v1/workers', { name: 'inside', public: true })).toMatchObject({ status: 422 });
    await master.expect('DELETE', `/api/v1/workers/${String(worker['worker_id'])}`);
  });

  test('subscriptions follow all workers that are assigned at once, and those that are made meanwhile too', async () => {
    for (let round = 0; round < 5; round += 1) {
      const own = await setUpApplication(master);
      const workers = await Promise.all(
        ['a', 'b', 'c'].map((name) => master.expect('POST', '/api/v1/workers', { name: `${name}-${own.organizationId}`, public: false })),
      );
      await subscribe(own, 'https://example.com/before');
      await Promise.all([
        ...workers.map((worker) =>
          master.expect('PUT', `/api/v1/organizations/${own.organizationId}/workers/${String(worker['worker_id'])}`),
        ),
        subscribe(own, 'https://example.com/meanwhile'),
      ]);
      const { rows } = await database.admin.query<{ worker_ids: string[] }>({
        text: 'select p.worker_ids from webhook.subscription s join webhook.worker_pool p using (pool_id) where s.application_id = $1',
        values: [own.applicationId],
      });
      const assigned = workers.map((worker) => worker['worker_id']).toSorted();
      expect(rows.map((row) => row.worker_ids.toSorted())).toEqual([assigned, assigned]);
    }
  });

  test('an organization with a given id is made once and deleted when it is empty', async () => {
    const id = crypto.randomUUID();
    const body = { name: 'Scripted', organization_id: id };
    expect(await master.call('POST', '/api/v1/organizations', body)).toMatchObject({
      status: 200,
      body: { organization_id: id, users: [] },
    });
    expect(await master.call('POST', '/api/v1/organizations', body)).toMatchObject({ status: 200, body: { name: 'Scripted' } });
    const application = await master.expect('POST', '/api/v1/applications', { organization_id: id, name: 'One' });
    expect(await master.call('DELETE', `/api/v1/organizations/${id}`)).toMatchObject({
      status: 409,
      body: { id: 'OrganizationIsNotEmpty' },
    });
    const info = await master.expect('GET', `/api/v1/applications/${String(application['application_id'])}`);
    expect(info).toMatchObject({
      consumption: { events_per_day: 0 },
      onboarding_steps: { event_type: 'ToDo' },
      quotas: { events_per_day_limit: 2147483647 },
    });
    await master.expect('DELETE', `/api/v1/applications/${String(application['application_id'])}`);
    await master.expect('DELETE', `/api/v1/organizations/${id}`);
    expect(await master.call('GET', `/api/v1/organizations/${id}`)).toMatchObject({ status: 404 });
  });
});

describe('the surface', () => {
  test.each(['/api/v1/instance', '/api/v1/instance/', '//api//v1///instance//'])('slashes do not matter in %s', async (path) => {
    expect(await master.call('GET', path)).toMatchObject({ status: 200, body: { support_email_address: 'help@example.com' } });
  });

  test.each([
    ['an empty Host', '/api/v1', ''],
    ['a Host that is none', '/api/v1', 'a b'],
    ['the absolute form of a target', 'http://other.example/api/v1', 'other.example'],
  ])('the next page is found with %s', async (_name, base, host) => {
    const own = await setUpApplication(master);
    await own.client.expect('POST', '/api/v1/event', eventOf(own));
    await own.client.expect('POST', '/api/v1/event', eventOf(own));
    const path = `${base}/events?application_id=${own.applicationId}&per_page=1`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest(url, { path, setHost: false, headers: { host, authorization: `Bearer ${own.secret}` } }, resolve)
        .on('error', reject)
        .end();
    });
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(response.headers['link']).toMatch(/^<http:\/\/[\w.:]+\/api\/v1\/events\?.+>; rel="next"$/);
  });

  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])('an unknown parameter named %s is ignored', async (name) => {
    const path = `/api/v1/event_types?application_id=${setup.applicationId}&${name}=1&${name}=2`;
    expect(await setup.client.call('GET', path)).toMatchObject({ status: 200 });
  });

  test('the aliases for the npm client work', async () => {
    expect(await setup.client.call('POST', '/api/event', eventOf(setup))).toMatchObject({ status: 201 });
    expect(await setup.client.call('GET', `/api/event_types?application_id=${setup.applicationId}`)).toMatchObject({ status: 200 });
  });

  test.each([
    ['GET', '/api/v1/nothing', 404, null],
    ['GET', '/', 404, null],
    ['GET', '/api/v1/Instance', 404, null],
    ['GET', '/API/v1/instance', 404, null],
    ['DELETE', '/api/v1/event', 405, 'POST, OPTIONS'],
    ['PATCH', '/api/v1/subscriptions', 405, 'GET, HEAD, POST, OPTIONS'],
  ])('%s %s is a problem document with %d', async (method, path, status, allow) => {
    const answer = await master.call(method, path);
    expect(answer).toMatchObject({ status, body: { id: 'NotFound', status, validation: null } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test('every problem is explained where its type points to', async () => {
    const listed = await master.list('/api/v1/errors');
    expect(listed.length).toBe(29);
    for (const problem of listed) {
      expect(problem).toMatchObject({
        type: expect.any(String),
        id: expect.any(String),
        title: expect.any(String),
        detail: expect.any(String),
        status: expect.any(Number),
      });
      expect((await fetch(String(problem['type']))).status).toBe(200);
    }
  });

  test('health wants its key', async () => {
    expect(await master.call('GET', '/api/v1/health')).toMatchObject({ status: 403 });
    expect(await master.call('GET', '/api/v1/health?key=wrong')).toMatchObject({ status: 403 });
    expect(await master.call('GET', '/api/v1/health?key=health')).toMatchObject({ status: 200, body: { database: true, pulsar: null } });
  });

  test('carries security headers and the request id', async () => {
    const answer = await master.call('GET', '/api/v1/payload_content_types', undefined, { 'x-request-id': 'abc-1' });
    expect(answer.body).toEqual(['text/plain', 'application/json', 'application/octet-stream+base64']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'x-request-id': 'abc-1', 'x-content-type-options': 'nosniff' });
    expect(answer.headers.get('x-powered-by')).toBeNull();
    const named = await master.call('GET', '/api/v1/payload_content_types', undefined, { 'x-request-id': 'Content-Type' });
    expect(named.headers.get('x-request-id')).toBe('Content-Type');
    expect(named.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test('event types come, go and come back', async () => {
    const path = '/api/v1/event_types';
    const post = { application_id: setup.applicationId, service: 'a', resource_type: 'b', verb: 'c' };
    expect(await setup.client.call('POST', path, post)).toMatchObject({
      status: 201,
      body: { event_type_name: 'a.b.c', service_name: 'a' },
    });
    const one = `${path}/a.b.c?application_id=${setup.applicationId}`;
    expect(await setup.client.call('DELETE', one)).toMatchObject({ status: 204 });
    expect(await setup.client.call('GET', one)).toMatchObject({ status: 404 });
    const refused = await setup.client.call('POST', '/api/v1/event', eventOf(setup, { event_type: 'a.b.c' }));
    expect(refused).toMatchObject({ status: 400, body: { id: 'EventTypeDoesNotExist' } });
    expect(await setup.client.call('POST', path, post)).toMatchObject({ status: 201 });
    expect(await setup.client.call('GET', one)).toMatchObject({ status: 200 });
  });
});
