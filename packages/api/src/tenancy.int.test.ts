import { seeingAllTenants } from '@postrider/shared/database/tenant-database';
import { type ApiAnswer, ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { insertTenancy } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createRoutes } from './app.ts';
import type { Route } from './http/route.ts';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

/** Somebody with something of everything, which others ask for. */
interface Victim {
  readonly setup: ApplicationSetup;
  readonly subscriptionId: string;
  readonly eventId: string;
  /** Of an attempt with its response. */
  readonly attemptId: string;
  readonly serviceTokenId: string;
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

/** An API on the database; without isolation, what the API itself checks is all there is. */
function serve(isIsolating: boolean): Promise<ServedApi> {
  return serveApi({ db: seeingAllTenants(database.db, isIsolating) }, { authCacheTtlMs: 0 });
}

async function createVictim(master: ApiClient): Promise<Victim> {
  const setup = await setUpApplication(master);
  const { subscriptionId } = await subscribe(setup, 'https://example.com/');
  const event = await setup.client.expect('POST', '/api/v1/event', eventOf(setup));
  const token = await createServiceToken(master, setup);
  const attemptId = await insertTenancy(database.admin, { ...setup, eventTypeName: setup.eventType }, subscriptionId);
  return {
    setup,
    subscriptionId,
    eventId: String(event['event_id']),
    attemptId,
    serviceTokenId: String(token['token_id']),
  };
}

function createServiceToken(master: ApiClient, setup: ApplicationSetup): Promise<Record<string, unknown>> {
  return master.expect('POST', '/api/v1/service_token', { organization_id: setup.organizationId, name: 'all' });
}

/** What the path of a route names, as the victim has it. A parameter that is missing here is one to add. */
function paramsOf(victim: Victim): Readonly<Record<string, string>> {
  return {
    application_id: victim.setup.applicationId,
    organization_id: victim.setup.organizationId,
    application_secret_token: victim.setup.secret,
    event_id: victim.eventId,
    event_type_name: victim.setup.eventType,
    request_attempt_id: victim.attemptId,
    response_id: victim.attemptId,
    service_token_id: victim.serviceTokenId,
    subscription_id: victim.subscriptionId,
    worker_id: '00000000-0000-0000-0000-000000000001',
  };
}

/** A body that every route with a body takes, as long as nobody asks whose it is. */
function bodyFor(victim: Victim): Record<string, unknown> {
  return {
    ...eventOf(victim.setup),
    organization_id: victim.setup.organizationId,
    event_id: victim.eventId,
    subscription_id: victim.subscriptionId,
    name: 'taken over',
    service: 'a',
    resource_type: 'b',
    verb: 'c',
    is_enabled: true,
    event_types: [victim.setup.eventType],
    target: { type: 'http', method: 'POST', url: 'https://attacker.example/', headers: {} },
    public: true,
  };
}

async function callRoute(client: ApiClient, route: Route, victim: Victim) {
  const params = paramsOf(victim);
  const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) {
      throw new Error(`${route.name} has the parameter ${name}, which the sweep does not know.`);
    }
    return value;
  });
  const query = `application_id=${params['application_id'] ?? ''}&organization_id=${params['organization_id'] ?? ''}`;
  const body = route.schemas.body ? bodyFor(victim) : route.bodies ? [bodyFor(victim)] : undefined;
  return client.call(route.method.toUpperCase(), `/api/v1${path}?${query}`, body);
}

function outcomeOf({ status, body }: ApiAnswer, victim: Victim): string {
  const parts: readonly unknown[] = Array.isArray(body) ? body : [];
  if (status === 200 && parts.length > 0 && parts.every((part) => Object(part).problem?.id === 'Forbidden')) {
    return 'refused';
  }
  const text = JSON.stringify(body) ?? '';
  if ((status === 403 && text.includes('"id":"Forbidden"')) || (status === 404 && text.includes('"id":"NotFound"'))) {
    return 'refused';
  }
  const isShown = Object.values(paramsOf(victim)).some((id) => text.includes(id));
  return status === 200 && !isShown ? 'shows nothing of the victim' : `${status} ${text}`;
}

/** Everything that the victim has, as the database has it. */
async function stateOf(victim: Victim): Promise<unknown> {
  const { rows } = await database.admin.query({
    text: `select (select to_jsonb(o) from iam.organization o where organization_id = $1) as organization,
                  (select jsonb_agg(t order by service_token_id) from iam.service_token t where organization_id = $1) as tokens,
                  (select jsonb_agg(a order by application_id) from event.application a where organization_id = $1) as applications,
                  (select jsonb_agg(s order by application_secret_id) from iam.application_secret s where application_id = $2) as secrets,
                  (select jsonb_agg(t order by event_type_name) from event.event_type t where application_id = $2) as types,
                  (select count(*) from event.event where application_id = $2) as events,
                  (select jsonb_agg(s order by subscription_id) from webhook.subscription s where application_id = $2) as subscriptions,
                  (select jsonb_agg(a order by request_attempt_id) from webhook.request_attempt a where application_id = $2) as attempts`,
    values: [victim.setup.organizationId, victim.setup.applicationId],
  });
  return rows;
}

describe.each([
  ['with row-level security', true],
  ['by what the API checks alone', false],
])('every route, %s', (_, isIsolating) => {
  let api: ServedApi;
  let master: ApiClient;
  let victim: Victim;
  let attackers: Readonly<Record<string, ApiClient>>;

  beforeAll(async () => {
    api = await serve(isIsolating);
    ({ master } = api);
    victim = await createVictim(master);
    const attacker = await setUpApplication(master);
    const serviceToken = await createServiceToken(master, attacker);
    attackers = {
      'an application secret': attacker.client,
      'a service token': master.withToken(String(serviceToken['biscuit'])),
    };
  });
  afterAll(() => api.close());

  test.each([
    ['an application secret', []],
    // Names nobody and shows its own.
    ['a service token', ['organizations.list']],
  ])('refuses %s of somebody else', async (kind, answered) => {
    const client = attackers[kind] ?? master;
    const before = await stateOf(victim);
    const outcomes: (readonly [route: string, outcome: string])[] = [];
    for (const route of createRoutes(api.context).filter(({ access }) => access !== 'public')) {
      outcomes.push([route.name, outcomeOf(await callRoute(client, route, victim), victim)]);
    }
    const other = outcomes.filter(([, outcome]) => outcome !== 'refused');
    expect(other).toEqual(answered.map((name) => [name, 'shows nothing of the victim']));
    expect(await stateOf(victim)).toEqual(before);
  });

  test('answers the one whose it is', async () => {
    // Otherwise the sweep would pass for routes that refuse everybody.
    const reads = createRoutes(api.context).filter(({ access, method }) => access === 'application' && method === 'get');
    for (const route of reads) {
      expect([route.name, await callRoute(victim.setup.client, route, victim)]).toMatchObject([route.name, { status: 200 }]);
    }
  });
});
