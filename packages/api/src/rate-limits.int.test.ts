import { parseCidr } from '@postrider/shared/domain/ip-address';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication } from '@postrider/testkit/api-client';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { noRateLimits, type RateLimits } from './services/limits/rate-limiter.ts';
import { type ServedApi, serveApi, type ServeOptions } from './testing/serve-api.ts';

/** So slow that no token comes back during a test. */
const slow = { burst: 3, periodMs: 600_000 };
/** The same for this machine, which has asked for the document that answers are held to. */
const afterDocument = { ...slow, burst: 4 };
const proxies = [parseCidr('127.0.0.0/8')].filter((cidr) => cidr !== null);

let database: TestDatabase;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  const unlimitedApi = await serveApi(database);
  setup = await setUpApplication(unlimitedApi.master);
  unlimitedApi.close();
});
afterAll(() => database.drop());

async function serve(limits: Partial<RateLimits>, settings: ServeOptions['settings'] = {}): Promise<ServedApi> {
  const api = await serveApi(database, { rateLimits: { ...noRateLimits, ...limits }, settings });
  onTestFinished(() => api.close());
  return api;
}

async function statusesOf(client: ApiClient, count: number, headers: (index: number) => Record<string, string> = () => ({})) {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) {
    statuses.push((await client.call('GET', '/api/v1/instance', undefined, headers(index))).status);
  }
  return statuses;
}

describe('by token', () => {
  test('lets the burst in and refuses the rest with what to do about it', async () => {
    const api = await serve({ token: slow });
    const client = api.master.withToken(setup.secret);
    const path = `/api/v1/event_types?application_id=${setup.applicationId}`;
    const answers = [];
    for (let index = 0; index < 4; index += 1) {
      answers.push(await client.call('GET', path));
    }

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      '"token";r=2;t=600',
      '"token";r=1;t=1200',
      '"token";r=0;t=1800',
      expect.stringMatching(/^"token";r=0;t=1(79\d|800)$/),
    ]);
    expect(answers[3]?.headers.get('ratelimit-policy')).toBe('"token";q=3;w=1800');
    expect(answers[3]?.body).toMatchObject({ id: 'RateLimited', code: 'token' });
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(590);
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeLessThanOrEqual(600);
  });

  test('limits neither the master key nor other tokens', async () => {
    const api = await serve({ token: { ...slow, burst: 1 } });
    const path = `/api/v1/event_types?application_id=${setup.applicationId}`;
    const secret = { application_id: setup.applicationId, name: 'other' };
    const other = api.master.withToken(String((await api.master.expect('POST', '/api/v1/application_secrets', secret))['token']));
    const limited = api.master.withToken(setup.secret);
    const call = async (client: ApiClient) => (await client.call('GET', path)).status;

    expect([await call(limited), await call(limited), await call(other), await call(other)]).toEqual([200, 429, 200, 429]);
    expect([await call(api.master), await call(api.master), await call(api.master)]).toEqual([200, 200, 200]);
  });

  test('says at least a second where the next token is there sooner', async () => {
    const api = await serve({ token: { burst: 1, periodMs: 900 } });
    const client = api.master.withToken(setup.secret);
    const call = () => client.call('GET', `/api/v1/event_types?application_id=${setup.applicationId}`);
    const answers = await Promise.all([call(), call(), call(), call()]);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.map(({ headers }) => headers.get('retry-after'))).toEqual(refused.map(() => '1'));
  });
});

describe('by address', () => {
  test('a header from a peer that is not trusted changes nothing', async () => {
    const api = await serve({ ip: afterDocument });
    const spoofed = (index: number) => ({ 'x-forwarded-for': `203.0.113.${index}`, forwarded: `for=203.0.113.${index}` });
    expect(await statusesOf(api.master, 5, spoofed)).toEqual([200, 200, 200, 429, 429]);
  });

  test('what the trusted proxy adds counts, not what the client claimed before', async () => {
    const api = await serve({ ip: slow }, { reverseProxyIps: proxies });
    const claiming = (index: number) => ({ 'x-forwarded-for': `198.51.100.${index}, 203.0.113.5` });
    expect(await statusesOf(api.master, 4, claiming)).toEqual([200, 200, 200, 429]);
    expect(await statusesOf(api.master, 1, () => ({ 'x-forwarded-for': '203.0.113.6' }))).toEqual([200]);
  });

  test('addresses of one /64 are one client', async () => {
    const api = await serve({ ip: slow }, { reverseProxyIps: proxies });
    const rotating = (index: number) => ({ 'x-forwarded-for': `2001:db8:1:2::${index + 1}` });
    expect(await statusesOf(api.master, 5, rotating)).toEqual([200, 200, 200, 429, 429]);
    expect(await statusesOf(api.master, 1, () => ({ 'x-forwarded-for': '2001:db8:1:3::1' }))).toEqual([200]);
  });

  test('also counts requests for what is not there and with tokens that are not known', async () => {
    const api = await serve({ ip: afterDocument });
    const stranger = api.master.withToken(crypto.randomUUID());
    const path = `/api/v1/event_types?application_id=${setup.applicationId}`;
    const statuses = [
      await stranger.call('GET', path),
      await stranger.call('GET', '/api/v1/nothing'),
      await stranger.call('GET', path),
      await stranger.call('GET', path),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 404, 403, 429]);
  });
});

test('all clients together are limited, and health is not', async () => {
  const api = await serve({ global: afterDocument, ip: { ...slow, burst: 10 } });
  expect(await statusesOf(api.master, 4)).toEqual([200, 200, 200, 429]);
  const refused = await api.master.call('GET', '/api/v1/instance');
  expect(refused.body).toMatchObject({ id: 'RateLimited', code: 'global' });
  expect(refused.headers.get('ratelimit-policy')).toBe('"ip";q=10;w=6000, "global";q=4;w=2400');
  expect((await api.master.call('GET', '/api/v1/health?key=health')).status).toBe(200);
  expect((await api.master.call('GET', '//api/v1/health/?key=health')).status).toBe(200);
});

test('the address that the rule gives is stored with events and in the audit log', async () => {
  const api = await serve({}, { reverseProxyIps: proxies });
  const client = api.master.withToken(setup.secret);
  const headers = { 'x-forwarded-for': '192.0.2.77, 203.0.113.5:4711' };
  const { body } = await client.call('POST', '/api/v1/event', eventOf(setup), headers);
  const eventId = String(Object.fromEntries(Object.entries(body ?? {}))['event_id']);
  const event = await client.expect('GET', `/api/v1/events/${eventId}?application_id=${setup.applicationId}`);
  expect(event['ip']).toBe('203.0.113.5');

  const secret = { application_id: setup.applicationId, name: 'audited' };
  await api.master.call('POST', '/api/v1/application_secrets', secret, headers);
  const [entry] = await api.master.list(`/api/v1/audit_log?organization_id=${setup.organizationId}`);
  expect(entry).toMatchObject({ action: 'application_secrets.create', ip: '203.0.113.5' });
});

test('pages of other origins may read what is left', async () => {
  const api = await serve({ token: slow });
  const { headers } = await api.master.call('GET', '/api/v1/instance', undefined, { origin: 'https://app.example.com' });
  expect(headers.get('access-control-expose-headers')).toContain('RateLimit');
});

describe('shared', () => {
  test('instances share one bucket', async () => {
    const apis = [
      await serve({ token: { ...slow, burst: 9 }, isShared: true }),
      await serve({ token: { ...slow, burst: 9 }, isShared: true }),
    ];
    const fresh = await setUpApplication((await serve({})).master);
    const path = `/api/v1/event_types?application_id=${fresh.applicationId}`;
    const calls = Array.from({ length: 24 }, async (_, index) => apis[index % 2]?.master.withToken(fresh.secret).call('GET', path));
    const answers = await Promise.all(calls);
    expect(answers.filter((answer) => answer?.status === 200)).toHaveLength(9);
    const refused = answers.filter((answer) => answer?.status === 429);
    expect(refused).toHaveLength(15);
    expect(refused.every((answer) => Number(answer?.headers.get('retry-after')) > 590)).toBe(true);
  });
});
