import { gzipSync } from 'node:zlib';
import { newId } from '@postrider/shared/domain/ids';
import { type ApiAnswer, type ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { type BatchResult, type EventStream, openEventStream } from '@postrider/testkit/event-stream';
import { eventually } from '@postrider/testkit/eventually';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { IngestionOverloadedError } from './services/ingest-pressure.ts';
import { type ServedApi, serveApi } from './testing/serve-api.ts';

const path = '/api/v1/events/batch';
const lines = 'application/x-ndjson';

let database: TestDatabase;
let api: ServedApi;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database);
  setup = await setUpApplication(api.master);
  await subscribe(setup, 'https://example.com/');
});
afterAll(async () => {
  api.close();
  await database.drop();
});

/** How the same events are sent. */
const forms = {
  array: (client: ApiClient, events: readonly unknown[]) => client.call('POST', path, events),
  lines: (client: ApiClient, events: readonly unknown[]) =>
    client.call('POST', path, events.map((event) => `${JSON.stringify(event)}\n`).join(''), { 'content-type': lines }),
};

function resultsOf(answer: ApiAnswer): BatchResult[] {
  if (answer.status !== 200 || !Array.isArray(answer.body)) {
    throw new Error(`The batch was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/** A status, and why where it is a refusal. */
function outcomeOf({ status, problem }: BatchResult): string {
  return [status, problem?.id, problem?.code].filter((part) => part !== undefined).join(' ');
}

async function countOf(table: 'event.event' | 'webhook.open_attempt', eventIds: readonly string[]): Promise<number> {
  const text =
    table === 'event.event'
      ? 'select count(*)::integer as count from event.event where event_id = any($1)'
      : 'select count(*)::integer as count from webhook.open_attempt where event_id = any($1)';
  const { rows } = await database.admin.query<{ count: number }>({ text, values: [eventIds] });
  return rows[0]?.count ?? 0;
}

describe.each([
  ['an array', forms.array],
  ['lines', forms.lines],
])('%s', (_name, post) => {
  test('has a result for each event, in order, and refuses none for the sake of others', async () => {
    const other = await setUpApplication(api.master);
    const good = newId();
    const alone = newId();
    await setup.client.expect('POST', '/api/v1/event', eventOf(setup, { event_id: alone }));

    const results = resultsOf(
      await post(setup.client, [
        eventOf(setup, { event_id: good }),
        eventOf(setup, { event_type: 'no.such.type' }),
        eventOf(setup, { event_type: '' }),
        eventOf(setup, { payload: '{' }),
        eventOf(setup, { payload: undefined }),
        eventOf(other),
        { ...eventOf(other), event_type: 7 },
        eventOf(setup, { event_id: alone }),
        eventOf(setup, { event_id: alone, payload: '{"item":2}' }),
        'no event',
        null,
        eventOf(setup, { payload: { item: 3 } }),
      ]),
    );

    expect(results.map(outcomeOf)).toEqual([
      '201',
      '400 EventTypeDoesNotExist',
      '422 Validation',
      '400 EventInvalidJsonPayload',
      '400 JsonPayload',
      '403 Forbidden',
      '403 Forbidden',
      '409 EventAlreadyIngested same_content',
      '409 EventAlreadyIngested different_content',
      '400 JsonPayload',
      '400 JsonPayload',
      '201',
    ]);
    expect(results[0]).toMatchObject({ event: { application_id: setup.applicationId, event_id: good } });
    const ingested = results.flatMap(({ event }) => event?.event_id ?? []);
    expect([await countOf('event.event', ingested), await countOf('webhook.open_attempt', ingested)]).toEqual([2, 2]);
  });

  test('ingests the first of equal ids, wherever in the batch they are', async () => {
    const eventId = newId();
    const events = Array.from({ length: 900 }, (_, index) =>
      eventOf(setup, { event_id: index % 300 === 299 ? eventId : newId(), payload: `{"index":${index}}` }),
    );

    const results = resultsOf(await post(setup.client, events));

    const odd = results.flatMap((result, index) => (result.status === 201 ? [] : [`${index} ${outcomeOf(result)}`]));
    expect(odd).toEqual(['599 409 EventAlreadyIngested different_content', '899 409 EventAlreadyIngested different_content']);
    const stored = await setup.client.expect('GET', `/api/v1/events/${eventId}?application_id=${setup.applicationId}`);
    expect(Buffer.from(String(stored['payload']), 'base64').toString()).toBe('{"index":299}');
    expect(await countOf('webhook.open_attempt', [eventId])).toBe(1);
  });

  test('begins with none of equal ids before the one before it is done: their groups could overtake each other', async () => {
    const slow = await serveApi(database);
    onTestFinished(() => slow.close());
    const steps: string[] = [];
    const { ingest } = slow.context.batcher;
    Object.assign(slow.context.batcher, {
      async ingest(event: Parameters<typeof ingest>[0]) {
        steps.push('begun');
        const result = await ingest(event);
        steps.push('done');
        return result;
      },
    });
    const event = eventOf(setup, { event_id: newId() });

    await post(slow.master.withToken(setup.secret), [event, event]);

    expect(steps).toEqual(['begun', 'done', 'begun', 'done']);
  });

  test('takes an id whose earlier event of the batch was refused', async () => {
    const eventId = newId();
    const results = resultsOf(
      await post(setup.client, [eventOf(setup, { event_id: eventId, event_type: 'no.such.type' }), eventOf(setup, { event_id: eventId })]),
    );
    expect(results.map(({ status }) => status)).toEqual([400, 201]);
  });

  test('may hold events of several applications for those who may use them', async () => {
    const other = await setUpApplication(api.master);
    const token = await api.master.expect('POST', '/api/v1/service_token', {
      organization_id: setup.organizationId,
      name: 'restricted',
      application_ids: [setup.applicationId],
    });
    const events = [eventOf(setup), eventOf(other), eventOf(setup, { application_id: newId() })];

    const ofMaster = resultsOf(await post(api.master, events));
    const ofService = resultsOf(await post(api.master.withToken(String(token['biscuit'])), events));

    expect(ofMaster.map(({ status }) => status)).toEqual([201, 201, 403]);
    expect(ofService.map(({ status }) => status)).toEqual([201, 403, 403]);
  });

  test('takes no token that may not send it', async () => {
    const answers = await Promise.all([
      post(api.master.withToken(null), [eventOf(setup)]),
      post(api.master.withToken(newId()), [eventOf(setup)]),
      post(api.master.withToken(await tokenWith({ role: 'viewer' })), [eventOf(setup)]),
      post(api.master.withToken(await tokenWith({ actions: ['events.ingest'] })), [eventOf(setup)]),
      post(api.master.withToken(await tokenWith({ actions: ['events.ingest_batch'] })), [eventOf(setup)]),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 403, 403, 403, 200]);
  });

  test('says of each event when there was no room for it', async () => {
    const crowded = await serveApi(database);
    onTestFinished(() => crowded.close());
    let taken = 0;
    const { ingest } = crowded.context.batcher;
    Object.assign(crowded.context.batcher, {
      ingest: (event: Parameters<typeof ingest>[0]) => {
        taken += 1;
        return taken === 1 ? ingest(event) : Promise.reject(new IngestionOverloadedError('too_many_events'));
      },
    });
    const client = crowded.master.withToken(setup.secret);

    const some = resultsOf(await post(client, [eventOf(setup), eventOf(setup), eventOf(setup, { event_type: '' })]));

    expect(some.map(({ status, retry_after: after }) => [status, after])).toEqual([
      [201, undefined],
      [503, 5],
      [422, undefined],
    ]);
  });
});

async function tokenWith(restriction: Readonly<Record<string, unknown>>): Promise<string> {
  const body = { organization_id: setup.organizationId, name: 'token', ...restriction };
  return String((await api.master.expect('POST', '/api/v1/service_token', body))['biscuit']);
}

describe('an array', () => {
  test.each([
    ['no array', '{}', 400, 'JsonPayload'],
    ['nothing', '', 400, 'JsonPayload'],
    ['no JSON', '[{]', 400, 'JsonPayload'],
    ['no event', '[]', 422, 'Validation'],
    ['more than 1,000', JSON.stringify(Array.from({ length: 1001 }, () => 1)), 422, 'Validation'],
    ['more than 10 MiB', JSON.stringify(['x'.repeat(10 * 1024 * 1024)]), 413, 'JsonPayload'],
  ])('with %s is refused as a whole', async (_name, body, status, id) => {
    expect(await setup.client.call('POST', path, body)).toMatchObject({ status, body: { id } });
  });

  test('of another content type is refused', async () => {
    expect(await setup.client.call('POST', path, 'a,b', { 'content-type': 'text/csv' })).toMatchObject({ status: 415 });
  });

  test('may be gzip, up to what it expands to', async () => {
    const gzip = { 'content-encoding': 'gzip' };
    const good = gzipSync(JSON.stringify(Array.from({ length: 1000 }, () => eventOf(setup))));
    const large = gzipSync(Buffer.alloc(11 * 1024 * 1024, ' '));

    const results = resultsOf(await setup.client.call('POST', path, good, gzip));

    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([201]));
    expect(results.length).toBe(1000);
    expect(await setup.client.call('POST', path, large, gzip)).toMatchObject({ status: 413 });
  });

  test('refuses an event that would be too large alone', async () => {
    const payload = 'x'.repeat(65 * 1024);
    const results = resultsOf(
      await setup.client.call('POST', path, [eventOf(setup, { payload, payload_content_type: 'text/plain' }), eventOf(setup)]),
    );
    expect(results.map(outcomeOf)).toEqual(['413 JsonPayload', '201']);
  });

  test('is refused with Retry-After when there was room for none of its events', async () => {
    const crowded = await serveApi(database);
    onTestFinished(() => crowded.close());
    Object.assign(crowded.context.batcher, { ingest: () => Promise.reject(new IngestionOverloadedError('too_many_events')) });

    const answer = await crowded.master.withToken(setup.secret).call('POST', path, [eventOf(setup), eventOf(setup)]);

    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  });
});

/** Closed at the end of the test. */
function openStream(url: string, token: string): EventStream {
  const stream = openEventStream(url, token);
  onTestFinished(() => stream.destroy());
  return stream;
}

describe('lines', () => {
  test('have their results as they commit, while the stream goes on', async () => {
    const stream = openStream(api.url, setup.secret);
    const eventIds = [newId(), newId(), newId()];

    for (const eventId of eventIds) {
      await stream.write(`${JSON.stringify(eventOf(setup, { event_id: eventId }))}\n\n`);
      expect(await stream.next()).toMatchObject({ status: 201, event: { event_id: eventId } });
      expect(await countOf('webhook.open_attempt', [eventId])).toBe(1);
    }
    stream.end();

    expect(await stream.next()).toBeNull();
  });

  test('that cannot be read are a result like any other', async () => {
    const body = ['{"a"', JSON.stringify(eventOf(setup)), 'x'.repeat(65 * 1024), '', JSON.stringify(eventOf(setup))].join('\n');

    const results = resultsOf(await setup.client.call('POST', path, body, { 'content-type': `${lines}; charset=utf-8` }));

    expect(results.map(outcomeOf)).toEqual(['400 JsonPayload', '201', '413 JsonPayload', '201']);
  });

  test('may be none', async () => {
    expect(await setup.client.call('POST', path, '\n', { 'content-type': lines })).toMatchObject({ status: 200, body: undefined });
  });

  test('may be gzip, and more than an array may have', async () => {
    const body = gzipSync(`${JSON.stringify(eventOf(setup))}\n`.repeat(3000));

    const results = resultsOf(await setup.client.call('POST', path, body, { 'content-type': lines, 'content-encoding': 'gzip' }));

    expect([results.length, new Set(results.map(({ status }) => status))]).toEqual([3000, new Set([201])]);
  });

  test('in an encoding that nobody knows are refused as a whole', async () => {
    const answer = await setup.client.call('POST', path, 'x', { 'content-type': lines, 'content-encoding': 'br' });
    expect(answer).toMatchObject({ status: 415, body: { id: 'JsonPayload' } });
  });

  test('wait for room instead of being refused', async () => {
    const crowded = await serveApi(database);
    onTestFinished(() => crowded.close());
    let refusals = 3;
    const { ingest } = crowded.context.batcher;
    Object.assign(crowded.context.batcher, {
      ingest: (event: Parameters<typeof ingest>[0]) => {
        refusals -= 1;
        return refusals < 0 ? ingest(event) : Promise.reject(new IngestionOverloadedError('too_many_events'));
      },
    });

    const results = resultsOf(await forms.lines(crowded.master.withToken(setup.secret), [eventOf(setup), eventOf(setup)]));

    expect(results.map(({ status }) => status)).toEqual([201, 201]);
  });

  test('are refused from when their token is deleted', async () => {
    const secret = await setup.client.expect('POST', '/api/v1/application_secrets', { application_id: setup.applicationId });
    const token = String(secret['token']);
    const stream = openStream(api.url, token);
    const line = `${JSON.stringify(eventOf(setup))}\n`;
    await stream.write(line);
    expect(await stream.next()).toMatchObject({ status: 201 });

    await setup.client.expect('DELETE', `/api/v1/application_secrets/${token}?application_id=${setup.applicationId}`);

    await eventually(async () => {
      await stream.write(line);
      return (await stream.next())?.problem?.id === 'AuthInvalidBiscuit';
    });
    stream.end();
  });

  test('end with word of it when the process is to stop', async () => {
    const stopped = await serveApi(database);
    onTestFinished(() => stopped.close());
    const stream = openStream(stopped.url, setup.secret);
    await stream.write(`${JSON.stringify(eventOf(setup))}\n`);
    expect(await stream.next()).toMatchObject({ status: 201 });

    stopped.endStreams();

    expect(await stream.next()).toMatchObject({ status: 503, problem: { code: 'stream_ended' }, retry_after: 1 });
    expect(await stream.next()).toBeNull();
    await stream.closed;
  });

  test('that were sent whole are ingested even when the client does not wait; what it was writing is not', async () => {
    const stream = openStream(api.url, setup.secret);
    const [whole, cut] = [newId(), newId()];
    await stream.write(`${JSON.stringify(eventOf(setup, { event_id: whole }))}\n${JSON.stringify(eventOf(setup, { event_id: cut }))}`);
    expect(await stream.next()).toMatchObject({ status: 201 });

    stream.destroy();

    // A later stream is answered after whatever the earlier one left behind.
    await eventually(async () => (await forms.lines(setup.client, [eventOf(setup)])).status === 200);
    expect([await countOf('event.event', [whole]), await countOf('event.event', [cut])]).toEqual([1, 0]);
  });
});
