import { type ApplicationSetup, ApiClient, setUpApplication } from '@postrider/testkit/api-client';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';

let database: TestDatabase;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

const limit = { burst: 120, periodMs: 10 };
const env = {
  AUTO_DB_MIGRATION: 'false',
  DISABLE_API_RATE_LIMITING: 'false',
  DISABLE_API_RATE_LIMITING_GLOBAL: 'true',
  DISABLE_API_RATE_LIMITING_IP: 'true',
  API_RATE_LIMITING_TOKEN_BURST_SIZE: String(limit.burst),
  API_RATE_LIMITING_TOKEN_REPLENISH_PERIOD_IN_MS: String(limit.periodMs),
};

async function start(changes: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { ...env, ...changes } });
  onTestFinished(() => api.kill('SIGKILL'));
  return api;
}

/** Asks each API, two requests at a time, and counts what is let in until the time is over. */
async function flood(apis: readonly ApiProcess[], forMs: number): Promise<{ given: number; refused: number; tookMs: number }> {
  const statuses: number[] = [];
  const startedAt = performance.now();
  const ask = async ({ url }: ApiProcess): Promise<void> => {
    const client = new ApiClient(url, setup.secret);
    while (performance.now() - startedAt < forMs) {
      const path = `/api/v1/event_types/${setup.eventType}?application_id=${setup.applicationId}`;
      const { status } = await client.call('GET', path);
      statuses.push(status);
    }
  };
  await Promise.all([...apis, ...apis].map(ask));
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const given = statuses.filter((status) => status === 200).length;
  return { given, refused: statuses.length - given, tookMs: performance.now() - startedAt };
}

test('a shared limit holds over three API processes', async () => {
  const apis = await Promise.all([1, 2, 3].map(() => start({ API_RATE_LIMITING_SHARED: 'true' })));
  setup = await setUpApplication(new ApiClient(apis[0]?.url ?? ''));
  // The one request of the set-up with this token has come back meanwhile, or is one of some hundreds.
  const { given, refused, tookMs } = await flood(apis, 5000);

  const expected = limit.burst + tookMs / limit.periodMs;
  expect(refused).toBeGreaterThan(0);
  expect(given).toBeLessThanOrEqual(expected * 1.1);
  expect(given).toBeGreaterThanOrEqual(expected * 0.9);
});

test('without sharing each process has a limit of its own', async () => {
  const slow = { API_RATE_LIMITING_TOKEN_BURST_SIZE: '5', API_RATE_LIMITING_TOKEN_REPLENISH_PERIOD_IN_MS: '600000' };
  const apis = await Promise.all([1, 2].map(() => start(slow)));
  setup = await setUpApplication(new ApiClient((await start({ DISABLE_API_RATE_LIMITING: 'true' })).url));
  expect((await flood(apis, 500)).given).toBe(10);
});

test('the processes of one instance share its limits', async () => {
  const api = await start({ API_PROCESSES: '3' });
  setup = await setUpApplication(new ApiClient(api.url));
  const { given, refused, tookMs } = await flood(
    Array.from({ length: 6 }, () => api),
    3000,
  );

  const expected = limit.burst + tookMs / limit.periodMs;
  expect(refused).toBeGreaterThan(0);
  expect(given).toBeLessThanOrEqual(expected * 1.1);
  expect(given).toBeGreaterThanOrEqual(expected * 0.9);
});

test('the defaults limit a token to ten requests a second', async () => {
  const api = await startApi({
    databaseUrl: database.runtimeUrl,
    env: { AUTO_DB_MIGRATION: 'false', DISABLE_API_RATE_LIMITING: 'false' },
  });
  onTestFinished(() => api.kill('SIGKILL'));
  setup = await setUpApplication(new ApiClient(api.url));
  const { headers } = await setup.client.call('GET', `/api/v1/event_types?application_id=${setup.applicationId}`);
  expect(headers.get('ratelimit-policy')).toBe('"ip";q=200;w=2, "token";q=20;w=2');
});
