import { once } from 'node:events';
import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { freePort } from '@postrider/testkit/free-port';
import { type Behaviour, type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PostriderError, PostriderTransportError } from './errors.ts';
import { type Clock, systemClock } from './http/send.ts';
import { connect, createPostrider, type PostriderOptions } from './postrider.ts';

const application_id = '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d';
const token = '11111111-2222-4333-8444-555555555555';
const event = { application_id, event_type: 'order.item.created', payload: { item: 1 }, payload_content_type: 'application/json' } as const;
const ingested = answer(201, { application_id, event_id: application_id, received_at: '2026-01-01T00:00:00Z' });

let server: Receiver;
let waits: number[];
let clock: Clock;

beforeEach(async () => {
  server = await startReceiver();
  waits = [];
  let nowMs = 0;
  clock = {
    now: () => nowMs,
    random: () => 1,
    async wait(ms) {
      waits.push(ms);
      nowMs += ms;
    },
  };
});
afterEach(() => server.close());

function client(options: Partial<PostriderOptions> = {}) {
  return connect({ url: server.url, token, ...options }, clock);
}

function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return { kind: 'answer', status, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}

function problem(status: number, id: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): Behaviour {
  const body = { type: 'about:blank', title: id, status, detail: `It is ${id}.`, id, validation: null, instance: null, ...more };
  return answer(status, body, { 'content-type': 'application/problem+json', 'x-request-id': 'r-1', ...headers });
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

function bodies(): unknown[] {
  return server.requests.map(({ body }): unknown => (body.length === 0 ? null : JSON.parse(body.toString())));
}

describe('a call', () => {
  test('puts path, query and body where the document says', async () => {
    const id = 'a b/c';
    server.respond('/api/v1/events?application_id=x&label=a%3Db&label=c%3Dd&per_page=5', answer(200, []));
    server.respond('/api/v1/subscriptions/a%20b%2Fc/rotate_secret', answer(200, { secret: 's' }));
    server.respond('/api/v1/organizations/o-1', answer(200, { name: 'New' }));

    expect(await client().events.list({ application_id: 'x', label: ['a=b', 'c=d'], per_page: 5 })).toEqual([]);
    expect(await client().subscriptions.rotateSecret({ subscription_id: id, overlap: '1h' })).toEqual({ secret: 's' });
    expect(await client().organizations.update({ organization_id: 'o-1', name: 'New' })).toEqual({ name: 'New' });

    const [list, rotation, update] = server.requests;
    expect(list).toMatchObject({ method: 'GET', headers: { authorization: `Bearer ${token}` } });
    expect(list?.headers).not.toHaveProperty('content-type');
    expect(rotation).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
    expect(bodies()[1]).toEqual({ overlap: '1h' });
    expect(update).toMatchObject({ method: 'PUT' });
    expect(bodies()[2]).toEqual({ name: 'New' });
  });

  test.each(['', '/', '/api/v1', '/api/v1/'])('takes a URL that ends in "%s"', async (ending) => {
    server.respond('/api/v1/quotas', answer(200, { enabled: false }));
    expect(await client({ url: server.url + ending }).instance.quotas()).toEqual({ enabled: false });
  });

  test('answers nothing where there is nothing', async () => {
    server.respond('/api/v1/event_types/a.b.c?application_id=x', { kind: 'answer', status: 204 });
    expect(await client().eventTypes.deactivate({ event_type_name: 'a.b.c', application_id: 'x' })).toBeUndefined();
  });

  test('reads the health of an API that is not well', async () => {
    server.respond('/api/v1/health?key=k', answer(503, { database: 'down' }));
    expect(await client().instance.health({ key: 'k' })).toEqual({ database: 'down' });
    expect(waits).toEqual([]);
  });

  test.each(['', '.', '..'])('refuses "%s" in a path, which would lead elsewhere', async (value) => {
    expect(await failure(client().subscriptions.get({ subscription_id: value }))).toMatchObject({
      message: 'GET /subscriptions/{subscription_id} needs subscription_id.',
    });
    expect(server.requests).toEqual([]);
  });
});

describe('ingestion', () => {
  test('sends an id, a time and labels, the same on every try', async () => {
    server.respond('/api/v1/event', problem(503, 'ServiceUnavailable', {}, { 'retry-after': '5' }), { kind: 'close' }, ingested);

    await client().events.ingest(event);

    const sent = bodies();
    expect(sent).toHaveLength(3);
    expect(sent[0]).toMatchObject({
      ...event,
      event_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/),
      labels: {},
    });
    expect(sent[0]).toHaveProperty('occurred_at', expect.stringMatching(/Z$/));
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[2]).toEqual(sent[0]);
    expect(waits).toEqual([5250, 500]);
  });

  test('takes what the first try did for success', async () => {
    server.respond('/api/v1/event', { kind: 'reset', when: 'before_head' }, problem(409, 'EventAlreadyIngested', { code: 'same_content' }));
    expect(await client().events.ingest({ ...event, event_id: application_id })).toEqual({
      application_id,
      event_id: application_id,
      received_at: null,
    });
  });

  test('does not on the first try, and never with another content', async () => {
    server.respond('/api/v1/event', problem(409, 'EventAlreadyIngested', { code: 'same_content' }));
    expect(await failure(client().events.ingest(event))).toMatchObject({ id: 'EventAlreadyIngested', attempts: 1 });
    server.respond('/api/v1/event', { kind: 'close' }, problem(409, 'EventAlreadyIngested', { code: 'different_content' }));
    expect(await failure(client().events.ingest(event))).toMatchObject({ code: 'different_content', attempts: 2 });
  });
});

describe('failures', () => {
  test('say what the API says', async () => {
    const validation = { event_type: [{ code: 'length', message: 'wanted 1 to 200 characters', params: { max: 200 } }] };
    server.respond('/api/v1/event', problem(422, 'Validation', { validation }));
    const error = await failure(client().events.ingest(event));
    expect(error).toBeInstanceOf(PostriderError);
    expect(error).toMatchObject({ id: 'Validation', status: 422, detail: 'It is Validation.', validation, code: null, requestId: 'r-1' });
    expect(error).toHaveProperty(
      'message',
      'POST /event answered 422 Validation: It is Validation. event_type: wanted 1 to 200 characters',
    );
  });

  test('of something else than Postrider have no id', async () => {
    server.respond('/api/v1/event', { kind: 'answer', status: 404, body: '<html>' });
    expect(await failure(client().events.ingest(event))).toMatchObject({ name: 'PostriderError', id: null, status: 404 });
    server.respond('/api/v1/event_types?application_id=x', answer(200, { hello: 'world' }));
    expect(await failure(client().eventTypes.list({ application_id: 'x' }))).toMatchObject({ id: null, status: 200 });
    server.respond('/api/v1/event', { kind: 'answer', status: 302, headers: { location: 'http://192.0.2.1/' } });
    expect(await failure(client().events.ingest(event))).toMatchObject({ id: null, status: 302 });
  });

  test('after the last try say how many there were', async () => {
    server.respond('/api/v1/event', problem(500, 'InternalServerError'));
    expect(await failure(client().events.ingest(event))).toMatchObject({ id: 'InternalServerError', attempts: 5 });
    expect(waits).toEqual([250, 500, 1000, 2000]);
    expect(server.requests).toHaveLength(5);
  });

  test('what makes something new is not repeated where it may have been done', async () => {
    const input = { organization_id: application_id, name: 'Shop' };
    server.respond('/api/v1/applications', { kind: 'close' });
    const error = await failure(client().applications.create(input));
    expect(error).toBeInstanceOf(PostriderTransportError);
    expect(error).toMatchObject({ reason: 'connection', wasSent: true, attempts: 1 });
    server.respond('/api/v1/applications', problem(429, 'RateLimited', {}, { 'retry-after': '1' }), answer(201, { name: 'Shop' }));
    expect(await client().applications.create(input)).toEqual({ name: 'Shop' });
  });

  test('nothing that listens is tried again whatever it is', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const error = await failure(client({ url }).applications.create({ organization_id: application_id, name: 'Shop' }));
    expect(error).toMatchObject({ reason: 'connection', wasSent: false, attempts: 5 });
    expect(error).toHaveProperty('message', `POST /applications: ${url} gave no answer (ECONNREFUSED).`);
  });
});

describe('time', () => {
  test('a try that takes too long is given up, in its body, too', async () => {
    server.respond('/api/v1/event', { kind: 'hang' }, { kind: 'drip', everyMs: 10 }, ingested);
    await client({ timeoutMs: 100 }).events.ingest(event);
    expect(server.requests).toHaveLength(3);
    server.respond('/api/v1/event', { kind: 'hang' });
    const error = await failure(client({ timeoutMs: 100, retry: false }).events.ingest(event));
    expect(error).toMatchObject({ reason: 'timeout', wasSent: true, attempts: 1 });
  });

  test('all tries together end in time, whatever one of them may take', async () => {
    server.respond('/api/v1/event', { kind: 'hang' });
    const error = await failure(client({ timeoutMs: 3_600_000, retry: { totalMs: 100, delayMs: 1000 } }).events.ingest(event));
    expect(error).toMatchObject({ reason: 'timeout', attempts: 1, message: expect.stringContaining('within 100 ms') });
  });

  test('a signal ends a try with its own reason', async () => {
    server.respond('/api/v1/event', { kind: 'hang' });
    const controller = new AbortController();
    const call = failure(client().events.ingest(event, { signal: controller.signal }));
    await server.waitForRequests(1);
    controller.abort(new Error('enough'));
    expect(await call).toMatchObject({ message: 'enough' });
  });

  test("either signal ends a wait: the client's or the call's", async () => {
    server.respond('/api/v1/event', problem(503, 'ServiceUnavailable', {}, { 'retry-after': '30' }));
    for (const which of ['client', 'call'] as const) {
      const controllers = { client: new AbortController(), call: new AbortController() };
      const isWaiting = Promise.withResolvers<void>();
      clock.wait = (ms, signal) => {
        isWaiting.resolve();
        return systemClock.wait(ms, signal);
      };
      const postrider = client({ signal: controllers.client.signal });
      const call = failure(postrider.events.ingest(event, { signal: controllers.call.signal }));
      await isWaiting.promise;
      controllers[which].abort(new Error(which));
      expect(await call).toMatchObject({ message: which });
    }
  });
});

describe('lists', () => {
  const first = '/api/v1/events?application_id=x';
  const second = '/api/v1/events?application_id=x&pagination_cursor=two';

  beforeEach(() => {
    // The origin is what the API is called behind a proxy; the token must not follow it there.
    server.respond(first, answer(200, [{ event_id: 'a' }, { event_id: 'b' }], { link: `<https://inside.example${second}>; rel="next"` }));
    server.respond(second, answer(200, [{ event_id: 'c' }]));
  });

  test('go through all rows', async () => {
    const ids: string[] = [];
    for await (const { event_id } of client().events.listAll({ application_id: 'x' })) {
      ids.push(event_id);
    }
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(server.requests.map(({ path }) => path)).toEqual([first, second]);
  });

  test('go through pages, with where the next one begins', async () => {
    const pages: [number, string | null][] = [];
    for await (const { body, nextCursor } of client().events.listPages({ application_id: 'x' })) {
      pages.push([body.length, nextCursor]);
    }
    expect(pages).toEqual([
      [2, 'two'],
      [1, null],
    ]);
  });

  test('ask for a page only when it is wanted', async () => {
    for await (const { event_id } of client().events.listAll({ application_id: 'x' })) {
      expect(event_id).toBe('a');
      break;
    }
    expect(server.requests).toHaveLength(1);
  });

  test('take their rows out of an answer around them', async () => {
    server.respond('/api/v1/events/e/deliveries?application_id=x', answer(200, { event_id: 'e', deliveries: [{ state: 'successful' }] }));
    const states: string[] = [];
    for await (const { state } of client().events.deliveriesAll({ event_id: 'e', application_id: 'x' })) {
      states.push(state);
    }
    expect(states).toEqual(['successful']);
  });

  test('end at a server that leads back to the same page', async () => {
    server.respond(second, answer(200, [], { link: `<${second}>; rel="next"` }));
    expect(await Array.fromAsync(client().events.listPages({ application_id: 'x' }))).toHaveLength(2);
  });
});

describe('tokens', () => {
  test('are in no failure and no print of the client', async () => {
    const secret = '99999999-8888-4777-8666-555555555555';
    server.respond(
      `/api/v1/application_secrets/${secret}?application_id=x`,
      problem(404, 'NotFound', { instance: `/api/v1/application_secrets/${secret}` }),
      { kind: 'close' },
      { kind: 'garbage' },
      { kind: 'answer', status: 200, body: 'hello' },
    );
    const calls = Array.from({ length: 4 }, () => () => {
      const input = { application_secret_token: secret, application_id: 'x' };
      return failure(client({ retry: false }).applicationSecrets.delete(input));
    });
    for (const call of calls) {
      const text = inspect(await call(), { depth: 10, showHidden: true });
      expect(text).toContain('/application_secrets/{application_secret_token}');
      expect(text).not.toContain(token);
      expect(text).not.toContain(secret);
    }
    expect(inspect(client(), { depth: 10, showHidden: true })).not.toContain(token);
  });

  test('that no header can carry are refused without being repeated', () => {
    for (const broken of [`${token}\n`, `${token} `, '', 'é']) {
      const error = (() => {
        try {
          return createPostrider({ url: server.url, token: broken });
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error).replaceAll(import.meta.dirname, '')).not.toContain(token);
    }
  });

  test('are not sent where a redirect leads', async () => {
    const other = createServer((_request, response) => response.end('[]')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    let asked = 0;
    other.on('request', () => asked++);
    const address = other.address();
    const location = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
    server.respond('/api/v1/workers', { kind: 'answer', status: 307, headers: { location } });
    expect(await failure(client().workers.list())).toMatchObject({ id: null, status: 307 });
    expect(asked).toBe(0);
    other.close();
  });

  test.each(['postrider.example.com', 'ftp://example.com', 'https://me:pass@example.com', ''])('refuses the URL %s', (url) => {
    expect(() => createPostrider({ url })).toThrow(/^url must be the http or https URL of the API, without a user or password\.$/);
  });
});
