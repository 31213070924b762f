import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { createRegistry } from '@postrider/shared/observability/registry';
import { urlOf } from '@postrider/shared/observability/server-url';
import { parseSecretsKey } from '@postrider/shared/secrets/sealed-secret';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { testMasterKey, testSecretsKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { noQuotas } from './services/limits/quotas.ts';
import { noRateLimits } from './services/limits/rate-limiter.ts';
import { type Api, wireApi } from './wiring.ts';

const path = '/api/v1/service_token';
const forbidden = { status: 403, body: { id: 'Forbidden' } };
const invalidToken = { status: 403, body: { id: 'AuthInvalidBiscuit' } };

let database: TestDatabase;
let api: Api;
let server: Server;
let master: ApiClient;
let setup: ApplicationSetup;
let foreign: ApplicationSetup;
/** A second application of the organization. */
let siblingId: string;
let clockMs = 0;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  const secretsKey = parseSecretsKey(testSecretsKey);
  if (!secretsKey) {
    throw new Error('The key of tests is not a key.');
  }
  api = wireApi({
    db: database.db,
    logger: pino({ level: 'silent' }),
    registry: createRegistry(),
    settings: {
      eventBodyBytesMax: 64 * 1024,
      supportEmailAddress: 'help@example.com',
      autoDbMigration: true,
      requireHttpsTargets: false,
      healthCheckKey: null,
    },
    secretsKey,
    masterApiKey: testMasterKey,
    rateLimits: noRateLimits,
    quotas: noQuotas,
    authCacheTtlMs: 60_000,
    now: () => clockMs,
    wait,
  });
  api.tokens.setListening(true);
  server = createServer(api.app.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  master = new ApiClient(urlOf(server));
  setup = await setUpApplication(master);
  foreign = await setUpApplication(master);
  const sibling = await master.expect('POST', '/api/v1/applications', { organization_id: setup.organizationId, name: 'Sibling' });
  siblingId = String(sibling['application_id']);
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await database.drop();
});

type Restrictions = Readonly<Record<string, unknown>>;

async function create(restrictions: Restrictions = {}, client = master): Promise<Record<string, unknown>> {
  return client.expect('POST', path, { organization_id: setup.organizationId, name: 'mine', ...restrictions });
}

async function clientWith(restrictions: Restrictions = {}): Promise<ApiClient> {
  return master.withToken(String((await create(restrictions))['biscuit']));
}

const inOrganization = (): string => `?organization_id=${setup.organizationId}`;
const inApplication = (): string => `?application_id=${setup.applicationId}`;

describe('the endpoints', () => {
  test('create, read, list, change and delete a token', async () => {
    const token = await create();
    expect(token).toEqual({
      token_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'mine',
      biscuit: expect.stringMatching(/^postrider_st_[\w-]{43}$/),
      created_at: expect.stringMatching(/Z$/),
      role: 'editor',
      application_ids: null,
      actions: null,
      expires_at: null,
    });
    const own = `${path}/${String(token['token_id'])}`;
    expect(await master.expect('GET', own + inOrganization())).toEqual(token);
    expect(await master.list(path + inOrganization())).toContainEqual(token);
    const restricted = {
      name: 'less',
      role: 'viewer',
      application_ids: [setup.applicationId],
      actions: ['events.list'],
      expires_at: '2999-01-01T00:00:00.000Z',
    };
    const body = { organization_id: setup.organizationId, ...restricted };
    expect(await master.expect('PUT', own, body)).toEqual({ ...token, ...restricted });
    expect(await master.call('DELETE', own + inOrganization())).toMatchObject({ status: 204 });
    expect(await master.call('GET', own + inOrganization())).toMatchObject({ status: 404 });
    expect(await master.call('PUT', own, body)).toMatchObject({ status: 404 });
    expect(await master.call('DELETE', own + inOrganization())).toMatchObject({ status: 404 });
    expect(await master.list(path + inOrganization())).not.toContainEqual(expect.objectContaining({ token_id: token['token_id'] }));
  });

  test.each([
    ['role', 'admin', 400, { id: 'InvalidRole' }],
    ['role', 7, 400, { id: 'JsonPayload' }],
    ['name', '', 422, { id: 'Validation', validation: { name: [{}] } }],
    ['name', 'x'.repeat(51), 422, { id: 'Validation', validation: { name: [{}] } }],
    ['name', undefined, 400, { id: 'JsonPayload' }],
    [
      'actions',
      ['events.list', 'events.invent'],
      422,
      { id: 'Validation', validation: { actions: [{ message: expect.stringContaining('events.invent;') }] } },
    ],
    ['actions', ['application_secrets.list'], 422, { id: 'Validation', validation: { actions: [{}] } }],
    ['actions', ['service_tokens.create'], 422, { id: 'Validation', validation: { actions: [{}] } }],
    ['actions', ['organizations.delete'], 422, { id: 'Validation', validation: { actions: [{}] } }],
    ['actions', [], 422, { id: 'Validation', validation: { actions: [{}] } }],
    ['application_ids', [], 422, { id: 'Validation', validation: { application_ids: [{}] } }],
    ['application_ids', ['nonsense'], 400, { id: 'JsonPayload' }],
    ['expires_at', 'tomorrow', 400, { id: 'JsonPayload' }],
  ])('a token with %s %j is refused', async (field, value, status, body) => {
    const answer = await master.call('POST', path, { organization_id: setup.organizationId, name: 'mine', [field]: value });
    expect(answer).toMatchObject({ status, body });
  });

  test('a token for another organization’s application is refused, naming the field', async () => {
    const body = { organization_id: setup.organizationId, name: 'mine', application_ids: [setup.applicationId, foreign.applicationId] };
    expect(await master.call('POST', path, body)).toMatchObject({ status: 422, body: { validation: { application_ids: [{}] } } });
  });

  test('an organization that does not exist gets no token', async () => {
    const body = { organization_id: '00000000-0000-0000-0000-000000000000', name: 'mine' };
    expect(await master.call('POST', path, body)).toMatchObject(forbidden);
  });
});

describe('an unrestricted token', () => {
  test('does everything in its organization, applications made since included', async () => {
    const client = await clientWith();
    expect(await client.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject({ status: 201 });
    const made = await client.expect('POST', '/api/v1/applications', { organization_id: setup.organizationId, name: 'New' });
    const applicationId = made['application_id'];
    const parts = { service: 'a', resource_type: 'b', verb: 'c' };
    await client.expect('POST', '/api/v1/event_types', { application_id: applicationId, ...parts });
    expect(await client.list(`/api/v1/application_secrets?application_id=${String(applicationId)}`)).toHaveLength(1);
    expect(await client.list(`/api/v1/applications${inOrganization()}`)).toContainEqual(made);
    expect(await client.list(path + inOrganization())).not.toHaveLength(0);
    const { subscriptionId } = await subscribe({ ...setup, client }, 'https://example.com/');
    expect(await client.call('GET', `/api/v1/subscriptions/${subscriptionId}`)).toMatchObject({ status: 200 });
    await client.expect('DELETE', `/api/v1/applications/${String(applicationId)}`);
    expect(await client.call('GET', `/api/v1/applications/${String(applicationId)}`)).toMatchObject(forbidden);
  });

  test('sees its own organization only', async () => {
    const client = await clientWith();
    expect(await client.list('/api/v1/organizations')).toEqual([
      { organization_id: setup.organizationId, name: 'Acme', role: 'editor', plan: null },
    ]);
    expect(await client.call('GET', `/api/v1/organizations/${foreign.organizationId}`)).toMatchObject(forbidden);
    expect(await client.call('GET', `/api/v1/applications?organization_id=${foreign.organizationId}`)).toMatchObject(forbidden);
    const { subscriptionId } = await subscribe(foreign, 'https://example.com/');
    expect(await client.call('GET', `/api/v1/subscriptions/${subscriptionId}`)).toMatchObject({ status: 404 });
  });

  test('does not do what takes the master key', async () => {
    const client = await clientWith();
    expect(await client.call('POST', '/api/v1/organizations', { name: 'Other' })).toMatchObject(forbidden);
    expect(await client.call('DELETE', `/api/v1/organizations/${setup.organizationId}`)).toMatchObject(forbidden);
    expect(await client.call('GET', '/api/v1/workers')).toMatchObject(forbidden);
  });
});

describe('a restricted token', () => {
  test('of a viewer reads, and changes nothing', async () => {
    const client = await clientWith({ role: 'viewer' });
    expect(await client.call('GET', `/api/v1/events${inApplication()}`)).toMatchObject({ status: 200 });
    expect(await client.list('/api/v1/organizations')).toMatchObject([{ role: 'viewer' }]);
    expect(await client.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject(forbidden);
    expect(await client.call('DELETE', `/api/v1/applications/${setup.applicationId}`)).toMatchObject(forbidden);
  });

  test('for some actions calls those and no others', async () => {
    const client = await clientWith({ actions: ['events.ingest', 'events.list'] });
    expect(await client.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject({ status: 201 });
    expect(await client.call('GET', `/api/v1/events${inApplication()}`)).toMatchObject({ status: 200 });
    expect(await client.call('GET', `/api/v1/subscriptions${inApplication()}`)).toMatchObject({
      status: 403,
      body: { id: 'Forbidden', detail: expect.stringContaining('subscriptions.list') },
    });
  });

  test('for some applications sees those and no others', async () => {
    const client = await clientWith({ application_ids: [setup.applicationId] });
    expect(await client.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject({ status: 201 });
    expect(await client.call('POST', '/api/v1/event', eventOf(setup, { application_id: siblingId }))).toMatchObject(forbidden);
    expect(await client.call('GET', `/api/v1/applications/${siblingId}`)).toMatchObject(forbidden);
    const applications = await client.list(`/api/v1/applications${inOrganization()}`);
    expect(applications.map((application) => application['application_id'])).toEqual([setup.applicationId]);
    expect(await client.call('POST', '/api/v1/applications', { organization_id: setup.organizationId, name: 'New' })).toMatchObject(
      forbidden,
    );
  });

  test.each<[string, Restrictions, number]>([
    ['a viewer', { role: 'viewer' }, 403],
    ['a token for some actions', { actions: ['events.list', 'applications.list'] }, 403],
    ['a token that expires', { expires_at: '2999-01-01T00:00:00Z' }, 403],
    // Its own application's secrets can do what it can.
    ['a token for some applications', { application_ids: ['own'] }, 200],
    ['an unrestricted token', {}, 200],
  ])('%s reads and makes no secret that can do more than itself', async (_, restrictions, status) => {
    const client = await clientWith('application_ids' in restrictions ? { application_ids: [setup.applicationId] } : restrictions);
    expect(await client.call('GET', `/api/v1/application_secrets${inApplication()}`)).toMatchObject({ status });
    const made = await client.call('POST', '/api/v1/application_secrets', { application_id: setup.applicationId });
    expect(made.status).toBe(status === 200 ? 201 : status);
  });

  test.each<[string, Restrictions]>([
    ['a viewer', { role: 'viewer' }],
    ['a token for some actions', { actions: ['events.list', 'applications.list'] }],
    ['a token that expires', { expires_at: '2999-01-01T00:00:00Z' }],
    ['a token for some applications', { application_ids: ['own'] }],
  ])('%s neither reads, makes, changes nor deletes service tokens', async (_, restrictions) => {
    const own = await create('application_ids' in restrictions ? { application_ids: [setup.applicationId] } : restrictions);
    const client = master.withToken(String(own['biscuit']));
    const body = { organization_id: setup.organizationId, name: 'wider' };
    const one = `${path}/${String(own['token_id'])}`;
    for (const [method, target, sent] of [
      ['GET', path + inOrganization(), undefined],
      ['GET', one + inOrganization(), undefined],
      ['POST', path, body],
      ['PUT', one, body],
      ['DELETE', one + inOrganization(), undefined],
    ] as const) {
      expect([method, await client.call(method, target, sent)]).toMatchObject([method, forbidden]);
    }
    expect(await master.expect('GET', one + inOrganization())).toEqual(own);
  });
});

describe('the end of a token', () => {
  test('deleted, it is refused at once', async () => {
    const token = await create();
    const client = master.withToken(String(token['biscuit']));
    await client.expect('GET', `/api/v1/applications/${setup.applicationId}`);
    await master.expect('DELETE', `${path}/${String(token['token_id'])}${inOrganization()}`);
    expect(await client.call('GET', `/api/v1/applications/${setup.applicationId}`)).toMatchObject(invalidToken);
  });

  test('changed, it counts at once', async () => {
    const token = await create();
    const client = master.withToken(String(token['biscuit']));
    expect(await client.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject({ status: 201 });
    const body = { organization_id: setup.organizationId, name: 'mine', role: 'viewer' };
    await master.expect('PUT', `${path}/${String(token['token_id'])}`, body);
    expect(await client.call('POST', '/api/v1/event', eventOf(setup))).toMatchObject(forbidden);
  });

  test('expired, it is refused, though tokens are remembered for longer', async () => {
    const token = await create({ expires_at: new Date(Date.now() + 30_000).toISOString() });
    const client = master.withToken(String(token['biscuit']));
    await client.expect('GET', `/api/v1/applications/${setup.applicationId}`);
    // Half a minute passes, for the database and for the process.
    await database.admin.query({
      text: 'update iam.service_token set expires_at = statement_timestamp() where service_token_id = $1',
      values: [token['token_id']],
    });
    clockMs += 30_000;
    expect(await client.call('GET', `/api/v1/applications/${setup.applicationId}`)).toMatchObject(invalidToken);
  });

  test('goes with its organization', async () => {
    const { organization_id: organizationId } = await master.expect('POST', '/api/v1/organizations', { name: 'Gone' });
    const token = await create({ organization_id: organizationId });
    const client = master.withToken(String(token['biscuit']));
    expect(await client.list('/api/v1/organizations')).toHaveLength(1);
    await master.expect('DELETE', `/api/v1/organizations/${String(organizationId)}`);
    expect(await client.call('GET', '/api/v1/organizations')).toMatchObject(invalidToken);
  });

  test.each(['postrider_st_', `postrider_st_${'x'.repeat(43)}`, `postrider_st_${'x'.repeat(44)}`])('%s is no token', async (token) => {
    expect(await master.withToken(token).call('GET', '/api/v1/organizations')).toMatchObject(invalidToken);
  });
});

test('other instances forget a token that was changed or deleted', async () => {
  const heard: string[] = [];
  const client = await database.admin.pool.connect();
  try {
    client.on('notification', ({ channel }) => heard.push(channel));
    await client.query('listen postrider_deleted_tokens');
    const token = await create();
    const one = `${path}/${String(token['token_id'])}`;
    await master.expect('PUT', one, { organization_id: setup.organizationId, name: 'changed' });
    await master.expect('DELETE', one + inOrganization());
    await client.query('select 1');
    expect(heard).toEqual(['postrider_deleted_tokens', 'postrider_deleted_tokens']);
  } finally {
    client.release(true);
  }
});
