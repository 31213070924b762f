import { noLimits, unlimited } from '@postrider/shared/domain/quotas';
import { type ApiAnswer, type ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

const defaults = {
  ...noLimits,
  applications_per_organization_limit: 2,
  events_per_day_limit: 5,
  subscriptions_per_application_limit: 2,
  event_types_per_application_limit: 2,
};

let database: TestDatabase;
let api: ServedApi;
let master: ApiClient;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database, { quotas: { isEnforced: true, defaults } });
  ({ master } = api);
});
beforeEach(async () => {
  setup = await setUpApplication(master);
});
afterAll(async () => {
  api.close();
  await database.drop();
});

function createApplication(): Promise<ApiAnswer> {
  return master.call('POST', '/api/v1/applications', { organization_id: setup.organizationId, name: 'One more' });
}

function createEventType(verb: string): Promise<ApiAnswer> {
  const type = { application_id: setup.applicationId, service: 'a', resource_type: 'b', verb };
  return setup.client.call('POST', '/api/v1/event_types', type);
}

function createSubscription(): Promise<ApiAnswer> {
  return setup.client.call('POST', '/api/v1/subscriptions', subscriptionPost());
}

function subscriptionPost(): Record<string, unknown> {
  return {
    application_id: setup.applicationId,
    is_enabled: true,
    event_types: [setup.eventType],
    labels: {},
    target: { type: 'http', method: 'POST', url: 'https://example.com/', headers: {} },
  };
}

function ingest(changes: Record<string, unknown> = {}): Promise<ApiAnswer> {
  return setup.client.call('POST', '/api/v1/event', eventOf(setup, changes));
}

async function ingestMany(count: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => ingest()));
  return answers.map(({ status }) => status).toSorted((a, b) => a - b);
}

function changeApplication(quotas: Record<string, number | null> | null, client = master): Promise<ApiAnswer> {
  const put = { organization_id: setup.organizationId, name: 'Shop', quotas };
  return client.call('PUT', `/api/v1/applications/${setup.applicationId}`, put);
}

function changeOrganization(quotas: Record<string, number | null>): Promise<ApiAnswer> {
  return master.call('PUT', `/api/v1/organizations/${setup.organizationId}`, { name: 'Acme', quotas });
}

function expectTooMany(answer: ApiAnswer | undefined, id: string): void {
  expect(answer).toMatchObject({ status: 429, body: { id } });
  expect(answer?.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
}

describe('refuses one too many', () => {
  test('application', async () => {
    expect((await createApplication()).status).toBe(201);
    expectTooMany(await createApplication(), 'TooManyApplicationsPerOrganization');
  });

  test('event type, but activates one again that is active', async () => {
    expect((await createEventType('c')).status).toBe(201);
    expectTooMany(await createEventType('d'), 'TooManyEventTypesPerApplication');
    expect((await createEventType('c')).status).toBe(201);
    await setup.client.expect('DELETE', `/api/v1/event_types/a.b.c?application_id=${setup.applicationId}`);
    expect((await createEventType('d')).status).toBe(201);
    expectTooMany(await createEventType('c'), 'TooManyEventTypesPerApplication');
  });

  test('subscription, but lets the others be changed', async () => {
    await subscribe(setup, 'https://example.com/1');
    const { subscriptionId } = await subscribe(setup, 'https://example.com/2');
    expectTooMany(await createSubscription(), 'TooManySubscriptionsPerApplication');
    expect((await setup.client.call('PUT', `/api/v1/subscriptions/${subscriptionId}`, subscriptionPost())).status).toBe(200);
  });

  test('of those that are made at once', async () => {
    const made = async (calls: readonly Promise<ApiAnswer>[]) => (await Promise.all(calls)).filter(({ status }) => status === 201).length;
    const many = Array.from({ length: 12 }, (_, index) => `v${index}`);
    expect(await made(many.map(createApplication))).toBe(1);
    expect(await made(many.map(createEventType))).toBe(1);
    expect(await made(many.map(createSubscription))).toBe(2);
  });
});

describe('events per day', () => {
  test('takes as many as the quota and says when the day ends', async () => {
    expect(await ingestMany(8)).toEqual([201, 201, 201, 201, 201, 429, 429, 429]);
    const refused = await ingest();
    expectTooMany(refused, 'TooManyEventsToday');
    const endsIn = 86_400 - ((Date.now() / 1000) % 86_400);
    expect(Math.abs(Number(refused.headers.get('retry-after')) - endsIn)).toBeLessThan(60);
  });

  test('counts what is ingested and not what is refused or there already', async () => {
    const eventId = crypto.randomUUID();
    expect((await ingest({ event_id: eventId })).status).toBe(201);
    const duplicates = await Promise.all([1, 2, 3].map(() => ingest({ event_id: eventId })));
    expect(duplicates.map(({ status }) => status)).toEqual([409, 409, 409]);
    expect((await ingest({ event_type: 'no.such.type' })).status).toBe(400);
    expect(await ingestMany(5)).toEqual([201, 201, 201, 201, 429]);
  });

  test('counts for the organization, over all of its applications', async () => {
    const { body } = await createApplication();
    const applicationId = String(Object.fromEntries(Object.entries(body ?? {}))['application_id']);
    const type = { application_id: applicationId, service: 'order', resource_type: 'item', verb: 'created' };
    await master.expect('POST', '/api/v1/event_types', type);
    expect(await ingestMany(3)).toEqual([201, 201, 201]);
    const others = [1, 2, 3].map(() => master.call('POST', '/api/v1/event', eventOf(setup, { application_id: applicationId })));
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, 201, 429]);
  });

  test('holds across instances', async () => {
    const other = await serveApi(database, { quotas: { isEnforced: true, defaults } });
    const clients = [setup.client, other.master.withToken(setup.secret)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => clients[index % 2]?.call('POST', '/api/v1/event', eventOf(setup))),
    );
    other.close();
    expect(answers.filter((answer) => answer?.status === 201)).toHaveLength(5);
  });

  test('counts what came before the quota was enforced', async () => {
    const free = await serveApi(database);
    const client = free.master.withToken(setup.secret);
    await Promise.all([1, 2, 3].map(() => client.expect('POST', '/api/v1/event', eventOf(setup))));
    free.close();
    expect(await ingestMany(3)).toEqual([201, 201, 429]);
  });

  test('are counted anew each day', async () => {
    expect(await ingestMany(6)).toEqual([201, 201, 201, 201, 201, 429]);
    await database.admin.query({
      text: "update event.event set received_at = received_at - interval '1 day' where application_id = $1",
      values: [setup.applicationId],
    });
    await database.admin.query({ text: 'update event.daily_quota set day = day - 1 where owner_id = $1', values: [setup.organizationId] });
    const tomorrow = await serveApi(database, { quotas: { isEnforced: true, defaults } });
    const client = tomorrow.master.withToken(setup.secret);
    const answers = await Promise.all(Array.from({ length: 6 }, () => client.call('POST', '/api/v1/event', eventOf(setup))));
    tomorrow.close();
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
  });

  test('an application can get less than its organization, and what it is refused is not counted', async () => {
    expect((await changeApplication({ events_per_day_limit: 2 })).status).toBe(200);
    expect(await ingestMany(4)).toEqual([201, 201, 429, 429]);
    expect((await changeApplication({})).status).toBe(200);
    expect(await ingestMany(4)).toEqual([201, 201, 201, 429]);
  });

  test('a higher quota of the organization works at once', async () => {
    expect(await ingestMany(6)).toEqual([201, 201, 201, 201, 201, 429]);
    expect((await changeOrganization({ events_per_day_limit: 8 })).status).toBe(200);
    expect(await ingestMany(4)).toEqual([201, 201, 201, 429]);
    expect((await changeOrganization({ events_per_day_limit: unlimited })).status).toBe(200);
    expect(await ingestMany(4)).toEqual([201, 201, 201, 201]);
  });
});

describe('tells the truth', () => {
  test('of the installation', async () => {
    expect(await master.expect('GET', '/api/v1/instance')).toMatchObject({ quota_enforcement: true });
    expect(await master.expect('GET', '/api/v1/quotas')).toMatchObject({
      enabled: true,
      limits: { global_events_per_day_limit: 5, global_days_of_events_retention_limit: unlimited },
    });
  });

  test('of an organization and an application', async () => {
    await changeOrganization({ events_per_day_limit: 100, subscriptions_per_application_limit: 7, days_of_events_retention_limit: 30 });
    await changeApplication({ events_per_day_limit: 1000, event_types_per_application_limit: 9 });
    const organization = await master.expect('GET', `/api/v1/organizations/${setup.organizationId}`);
    expect(organization['quotas']).toEqual({
      members_per_organization_limit: unlimited,
      applications_per_organization_limit: 2,
      events_per_day_limit: 100,
      days_of_events_retention_limit: 30,
      subscriptions_per_application_limit: 7,
      event_types_per_application_limit: 2,
    });
    const application = await setup.client.expect('GET', `/api/v1/applications/${setup.applicationId}`);
    expect(application['quotas']).toEqual({
      events_per_day_limit: 100,
      days_of_events_retention_limit: 30,
      subscriptions_per_application_limit: 7,
      event_types_per_application_limit: 9,
    });
  });

  test('where nothing is enforced nothing is limited', async () => {
    await changeApplication({ events_per_day_limit: 1 });
    const free = await serveApi(database, { quotas: { isEnforced: false, defaults } });
    const application = await free.master.expect('GET', `/api/v1/applications/${setup.applicationId}`);
    const organization = await free.master.expect('GET', `/api/v1/organizations/${setup.organizationId}`);
    const quotas = await free.master.expect('GET', '/api/v1/quotas');
    const instance = await free.master.expect('GET', '/api/v1/instance');
    free.close();
    expect(application['quotas']).toMatchObject({ events_per_day_limit: unlimited });
    expect(organization['quotas']).toMatchObject({ applications_per_organization_limit: unlimited });
    expect(quotas).toMatchObject({ enabled: false, limits: { global_events_per_day_limit: 5 } });
    expect(instance).toMatchObject({ quota_enforcement: false });
  });
});

describe('quotas of its own', () => {
  test('are given with the master key only, and a rename leaves them', async () => {
    expect(await changeApplication({ events_per_day_limit: 1 }, setup.client)).toMatchObject({ status: 403, body: { id: 'Forbidden' } });
    expect((await changeApplication({ events_per_day_limit: 1 })).status).toBe(200);
    expect((await changeApplication(null, setup.client)).status).toBe(200);
    const application = await setup.client.expect('GET', `/api/v1/applications/${setup.applicationId}`);
    expect(application['quotas']).toMatchObject({ events_per_day_limit: 1 });
  });

  test('are whole numbers of at least 1', async () => {
    for (const limit of [0, -1, unlimited + 1]) {
      expect(await changeApplication({ events_per_day_limit: limit })).toMatchObject({ status: 422, body: { id: 'Validation' } });
    }
  });

  test('are audited', async () => {
    await changeApplication({ events_per_day_limit: 3 });
    await changeOrganization({ events_per_day_limit: 4 });
    const [organization, application] = await master.list(`/api/v1/audit_log?organization_id=${setup.organizationId}`);
    expect(organization).toMatchObject({ action: 'organizations.update', changes: { events_per_day_limit: { from: null, to: 4 } } });
    expect(application).toMatchObject({ action: 'applications.update', changes: { events_per_day_limit: { from: null, to: 3 } } });
  });
});
