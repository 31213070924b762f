import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication } from '@postrider/testkit/api-client';
import { testMasterKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

let database: TestDatabase;
let api: ServedApi;
let master: ApiClient;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database);
  ({ master } = api);
  setup = await setUpApplication(master);
});
afterAll(async () => {
  api.close();
  await database.drop();
});

/** Sends bytes as they are and reads until the server closes the connection, or until it has answered that often. */
async function exchange(request: string | Buffer, answers = 1): Promise<string> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    // The body of each answer is a JSON object at its end.
    if (text.split('HTTP/1.1 ').length > answers && text.endsWith('}')) {
      socket.destroy();
    }
  });
  await once(socket, 'close');
  return text;
}

/** An answer as it came over the wire. */
function parsed(answer: string): { status: number; headers: Headers; body: unknown } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [line = '', ...headers] = head.split('\r\n');
  return {
    status: Number(line.split(' ')[1]),
    headers: new Headers(headers.map((header): [string, string] => [header.split(': ')[0] ?? '', header.split(': ')[1] ?? ''])),
    body: JSON.parse(body),
  };
}

describe('pages of other origins', () => {
  const preflight = {
    origin: 'https://app.example.com',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,hook0-client-options',
  };

  test('may ask whether they may, without a token', async () => {
    const answer = await fetch(`${api.url}/api/v1/event`, { method: 'OPTIONS', headers: preflight });

    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PUT,DELETE');
    expect(answer.headers.get('access-control-allow-headers')?.split(',')).toEqual(
      expect.arrayContaining(['Authorization', 'Content-Type', 'Hook0-Client-Options']),
    );
  });

  test.each([
    ['a success', '/api/v1/instance', 200],
    ['a problem', '/api/v1/organizations', 401],
    ['what is not there', '/nowhere', 404],
  ])('read %s with its headers', async (_name, path, status) => {
    const answer = await fetch(`${api.url}${path}`, { headers: { origin: 'https://app.example.com' } });

    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-expose-headers')?.split(',')).toEqual(expect.arrayContaining(['Link', 'Retry-After']));
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('are kept out when the installation names others', async () => {
    const strict = await serveApi(database, { settings: { corsAllowedOrigins: ['https://app.example.com'] } });
    const allowedFor = async (origin: string) =>
      (await fetch(`${strict.url}/api/v1/instance`, { headers: { origin } })).headers.get('access-control-allow-origin');

    expect(await allowedFor('https://app.example.com')).toBe('https://app.example.com');
    expect(await allowedFor('https://evil.example')).toBeNull();
    strict.close();
  });
});

describe('methods', () => {
  test.each([
    ['/api/v1/subscriptions', 'GET, HEAD, POST, OPTIONS'],
    ['/api/v1/subscriptions/', 'GET, HEAD, POST, OPTIONS'],
    ['/api/v1/event', 'POST, OPTIONS'],
    [`/api/v1/applications/${crypto.randomUUID()}`, 'GET, HEAD, PUT, DELETE, OPTIONS'],
  ])('OPTIONS %s is answered with %s', async (path, allow) => {
    const answer = await fetch(`${api.url}${path}`, { method: 'OPTIONS' });

    expect([answer.status, answer.headers.get('allow')]).toEqual([204, allow]);
  });

  test('OPTIONS of what is not there is a problem', async () => {
    expect((await fetch(`${api.url}/api/v1/nothing`, { method: 'OPTIONS' })).status).toBe(404);
  });

  test('HEAD has the headers of GET and no body', async () => {
    const path = `${api.url}/api/v1/event_types?application_id=${setup.applicationId}`;
    const headers = { authorization: `Bearer ${setup.secret}` };
    const [get, head] = await Promise.all([fetch(path, { headers }), fetch(path, { headers, method: 'HEAD' })]);

    expect([head.status, head.headers.get('content-type')]).toEqual([200, get.headers.get('content-type')]);
    expect(head.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength));
    expect(await head.text()).toBe('');
    expect((await fetch(path, { method: 'HEAD' })).status).toBe(401);
    expect((await fetch(`${api.url}/api/v1/event`, { method: 'HEAD' })).status).toBe(405);
  });

  test.each(['If-None-Match: *', 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'])(
    'GET with %s is answered in full, since nothing has a tag or a date',
    async (header) => {
      // As bytes: fetch would add that it wants no copy.
      const answer = await exchange(`GET /api/v1/instance HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n\r\n`);

      expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n\{.+\}$/);
    },
  );

  test.each(['GET', 'DELETE'])('%s with a content type and no body is fine', async (method) => {
    const path = `/api/v1/event_types/nothing.at.all?application_id=${setup.applicationId}`;

    expect(await setup.client.call(method, path, undefined, { 'content-type': 'application/json' })).toMatchObject({ status: 404 });
  });
});

describe('paths', () => {
  test.each(['/api/v1/event_types', '/api/v1/event_types/', '//api///v1//event_types///', '/api/event_types', '/api/event_types/'])(
    '%s is read and never redirected',
    async (path) => {
      const answer = await fetch(`${api.url}${path}?application_id=${setup.applicationId}`, {
        headers: { authorization: `Bearer ${setup.secret}` },
        redirect: 'manual',
      });

      expect(answer.status).toBe(200);
    },
  );

  test.each([
    ['/api/v1/event_types/%ff?application_id=APP', 422],
    ['/api/v1/event_types/%00?application_id=APP', 422],
    ['/api/v1/event_types?application_id=APP&x=%00', 422],
    ['/api/v1/event_types?application_id=APP&application_id=APP', 422],
    ['/api/v1/event_types?application_id[]=APP', 422],
    ['/api/v1/errors/toString', 404],
    ['/api/v1/docs/..%2f..%2fpackage.json', 404],
  ])('%s is answered with %d', async (path, status) => {
    expect(await setup.client.call('GET', path.replaceAll('APP', setup.applicationId))).toMatchObject({ status });
  });
});

describe('bodies', () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    setup.client.call('POST', '/api/v1/event', body, { 'content-type': 'application/json', ...headers });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/vnd.acme+json'])(
    'are read as %s',
    async (type) => {
      expect(await post(JSON.stringify(eventOf(setup)), { 'content-type': type })).toMatchObject({ status: 201 });
    },
  );

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'json', ''])(
    'are refused as %j, whatever they hold',
    async (type) => {
      const answer = await post(JSON.stringify(eventOf(setup)), { 'content-type': type });

      expect(answer).toMatchObject({ status: 415, body: { id: 'JsonPayload' } });
    },
  );

  test.each([
    ['more than the limit', JSON.stringify({ payload: 'x'.repeat(70_000) }), {}],
    ['more than the limit when it is expanded', gzipSync(JSON.stringify({ payload: 'x'.repeat(70_000) })), { 'content-encoding': 'gzip' }],
  ])('of %s are refused, and nothing else is', async (_name, body, headers) => {
    expect(await post(body, headers)).toMatchObject({ status: 413, body: { id: 'JsonPayload' } });
    const event = gzipSync(JSON.stringify(eventOf(setup, { payload: JSON.stringify('x'.repeat(60_000)) })));
    expect(await post(event, { 'content-encoding': 'gzip' })).toMatchObject({ status: 201 });
  });

  test.each([
    ['a byte that begins no character', Buffer.from([0xff])],
    ['an overlong slash', Buffer.from([0xc0, 0xaf])],
    ['half of a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
    ['a character that is cut off', Buffer.from([0xe2, 0x82])],
  ])('with %s are refused', async (_name, bytes) => {
    const [before, after] = JSON.stringify(eventOf(setup, { payload: 'HERE', payload_content_type: 'text/plain' })).split('HERE');

    const answer = await post(Buffer.concat([Buffer.from(before ?? ''), bytes, Buffer.from(after ?? '')]));

    expect(answer).toMatchObject({ status: 400, body: { id: 'JsonPayload' } });
  });

  test.each([
    ['text', '\ud83d'],
    ['label', { labels: { tenant: '\ud83d' } }],
  ])('with half of a surrogate pair in escapes are refused in a %s', async (_name, half) => {
    const changes = typeof half === 'string' ? { payload: half, payload_content_type: 'text/plain' } : half;

    expect([400, 422]).toContain((await post(JSON.stringify(eventOf(setup, changes)))).status);
  });

  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  test.each([
    ['body', nested(30_000), 400],
    ['payload', JSON.stringify(eventOf(setup0(), { payload: 'HERE' })).replace('"HERE"', nested(30_000)), 400],
    ['set of labels', JSON.stringify(eventOf(setup0(), { labels: 'HERE' })).replace('"HERE"', nested(30_000)), 400],
    ['payload within bounds', JSON.stringify(eventOf(setup0(), { payload: 'HERE' })).replace('"HERE"', nested(1000)), 201],
    ['payload that is a text', JSON.stringify(eventOf(setup0(), { payload: nested(30_000) })), 201],
  ])('with a %s that is nested deeply are answered', async (_name, body, status) => {
    const answer = await post(body.replace('APP', setup.applicationId).replace('TYPE', setup.eventType));

    expect(answer.status).toBe(status);
  });

  test('keep a label that is named like what every object has', async () => {
    const labels = JSON.parse('{"__proto__": "a", "constructor": "b", "toString": "c"}');
    const body = JSON.stringify({ ...eventOf(setup), labels, metadata: labels });
    const { event_id: eventId } = Object((await post(body)).body);

    const event = await setup.client.expect('GET', `/api/v1/events/${eventId}?application_id=${setup.applicationId}`);

    const sorted = (map: unknown) => Object.entries(Object(map)).toSorted();
    expect(sorted(event['labels'])).toEqual(sorted(labels));
    expect(sorted(event['metadata'])).toEqual(sorted(labels));
    const found = `/api/v1/events?application_id=${setup.applicationId}&label=__proto__=a`;
    expect(await setup.client.list(found)).toHaveLength(1);
  });

  test('match a subscription by such a label, and by none of another value', async () => {
    const own = await setUpApplication(master);
    const subscription = `{"application_id": "${own.applicationId}", "is_enabled": true, "event_types": ["${own.eventType}"],
      "labels": {"__proto__": "a"}, "target": {"type": "http", "method": "POST", "url": "https://example.com", "headers": {"__proto__": "h"}}}`;
    const created = await own.client.call('POST', '/api/v1/subscriptions', subscription);
    expect(JSON.stringify(Object(created.body).labels)).toBe('{"__proto__":"a"}');
    expect(JSON.stringify(Object(created.body).target.headers)).toBe('{"__proto__":"h"}');

    await own.client.expect('POST', '/api/v1/event', JSON.stringify(eventOf(own, { labels: JSON.parse('{"__proto__": "a"}') })));
    await own.client.expect('POST', '/api/v1/event', JSON.stringify(eventOf(own, { labels: JSON.parse('{"__proto__": "b"}') })));

    expect(await own.client.list(`/api/v1/request_attempts?application_id=${own.applicationId}`)).toHaveLength(1);
  });

  test('count characters, not the units that they are stored in', async () => {
    const name = '😀'.repeat(50);
    const secret = (value: string) =>
      setup.client.call('POST', '/api/v1/application_secrets', { application_id: setup.applicationId, name: value });

    expect(await secret(name)).toMatchObject({ status: 201, body: { name } });
    expect(await secret(`${name}!`)).toMatchObject({ status: 422, body: { id: 'Validation' } });
  });
});

/** Events of the table above are written down before there is an application. */
function setup0(): ApplicationSetup {
  return { organizationId: '', applicationId: 'APP', secret: '', eventType: 'TYPE', client: new ApiClient('http://localhost') };
}

describe('what Node refuses before the application sees it', () => {
  const host = 'Host: localhost\r\n';

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['an unknown method', `FETCH /api/v1/instance HTTP/1.1\r\n${host}\r\n`, 400],
    ['no Host', 'GET /api/v1/instance HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['a header without a colon', `GET /api/v1/instance HTTP/1.1\r\n${host}nonsense\r\n\r\n`, 400],
    ['two lengths', `POST /api/v1/event HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['an expectation', `GET /api/v1/instance HTTP/1.1\r\n${host}Expect: wonders\r\nConnection: close\r\n\r\n`, 417],
    ['long headers', `GET /api/v1/instance HTTP/1.1\r\n${host}X-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a long path', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431],
  ])('a request with %s is answered with a problem', async (_name, request, status) => {
    const answer = parsed(await exchange(request));

    expect(answer).toMatchObject({ status, body: { status, id: 'JsonPayload', validation: null } });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    });
    expect((await fetch(Object(answer.body).type)).status).toBe(200);
  });

  test('an unreadable request on a connection that has answered before is answered too', async () => {
    const good = `GET /api/v1/errors/NotFound HTTP/1.1\r\n${host}\r\n`;
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    socket.write(good);
    await once(socket, 'data');
    socket.write('nonsense\r\n\r\n');

    const [second] = await once(socket, 'data');

    expect(parsed(String(second))).toMatchObject({ status: 400, body: { code: 'not_http' } });
    await once(socket, 'close');
  });

  test('a body that breaks off in the middle harms nobody', async () => {
    const head = `POST /api/v1/event HTTP/1.1\r\n${host}Authorization: Bearer ${setup.secret}\r\nContent-Type: application/json\r\n`;
    const answer = await exchange(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nnonsense\r\n`);

    expect(parsed(answer)).toMatchObject({ status: 400, body: { id: 'JsonPayload' } });
    expect(await master.call('GET', '/api/v1/instance')).toMatchObject({ status: 200 });
  });
});

describe('what the installation says of itself', () => {
  test('limits', async () => {
    const quotas = await master.expect('GET', '/api/v1/quotas');

    expect(quotas).toMatchObject({ enabled: false, limits: { global_events_per_day_limit: 2_147_483_647 } });
    expect(Object.keys(Object(quotas['limits']))).toHaveLength(6);
  });

  test('settings of both processes, and none of their values', async () => {
    const variables = await master.list('/api/v1/environment_variables');

    expect(variables.find((variable) => variable['env_var'] === 'PORT')).toEqual({
      name: 'port',
      env_var: 'PORT',
      description: expect.any(String),
      default: '8081',
      group: 'Server',
      sensitive: false,
      required: false,
    });
    expect(variables.find((variable) => variable['env_var'] === 'DATABASE_URL')).toMatchObject({ required: true, default: null });
    expect(variables.find((variable) => variable['env_var'] === 'MASTER_API_KEY')).toMatchObject({ sensitive: true, default: null });
    expect(variables.filter((variable) => variable['env_var'] === 'SECRETS_KEY')).toHaveLength(1);
    expect(variables.map((variable) => variable['env_var'])).toEqual(
      expect.arrayContaining(['IP', 'CORS_ALLOWED_ORIGINS', 'MAX_FAST_RETRIES', 'CONCURRENT', 'WORKER_NAME']),
    );
    expect(JSON.stringify(variables)).not.toContain(testMasterKey);
  });
});
