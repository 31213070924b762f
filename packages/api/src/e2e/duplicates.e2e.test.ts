import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startApi } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

async function givenApi() {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  onTestFinished(() => api.kill('SIGKILL'));
  return api;
}

/** How often each status and code was answered. */
function tally(answers: readonly (readonly [status: number, code: unknown])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [status, code] of answers) {
    const name = typeof code === 'string' ? `${status} ${code}` : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test('of 1,000 requests at once with one event, sent to two processes alone and in batches, one is 201 and all others are 409', async () => {
  const apis = await Promise.all([givenApi(), givenApi()]);
  const setup = await setUpApplication(new ApiClient(apis[0].url));
  await subscribe(setup, 'http://127.0.0.1:9/one');
  await subscribe(setup, 'http://127.0.0.1:9/two');
  const clients = apis.map((api) => new ApiClient(api.url, setup.secret));
  const event = eventOf(setup, { event_id: crypto.randomUUID() });
  const batchOf = 10;

  const answers = await Promise.all(
    Array.from({ length: 550 }, async (_, index) => {
      const client = clients[index % 2];
      if (index >= 50) {
        const answer = await client?.call('POST', '/api/v1/event', event);
        return [[answer?.status ?? 0, Object(answer?.body).code] as const];
      }
      const answer = await client?.call('POST', '/api/v1/events/batch', Array(batchOf).fill(event));
      const items: readonly unknown[] = Array.isArray(answer?.body) ? answer.body : [];
      return items.map((item) => [Number(Object(item).status), Object(item).problem?.code] as const);
    }),
  );

  expect(tally(answers.flat())).toEqual({ '201': 1, '409 same_content': 999 });
  const { rows } = await database.admin.query({
    text: `select (select count(*)::integer from event.event) as events, (select count(*)::integer from webhook.open_attempt) as attempts`,
  });
  expect(rows).toEqual([{ events: 1, attempts: 2 }]);
});

test('the same id with other content is 409, too, and says so', async () => {
  const apis = await Promise.all([givenApi(), givenApi()]);
  const setup = await setUpApplication(new ApiClient(apis[0].url));
  const eventId = crypto.randomUUID();
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const client = new ApiClient(apis[index % 2]?.url ?? '', setup.secret);
      const payload = JSON.stringify({ item: index % 4 });
      const { status, body } = await client.call('POST', '/api/v1/event', eventOf(setup, { event_id: eventId, payload }));
      return [status, Object(body).code] as const;
    }),
  );
  expect(tally(answers)).toEqual({ '201': 1, '409 same_content': 24, '409 different_content': 75 });
});
