import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startCountingReceiver } from '@postrider/testkit/counting-receiver-process';
import { type BatchResult, type EventStream, openEventStream } from '@postrider/testkit/event-stream';
import { eventually } from '@postrider/testkit/eventually';
import { startApi, startWorker } from '@postrider/testkit/postrider-processes';
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

function lineOf(setup: ApplicationSetup, eventId: string): string {
  return `${JSON.stringify(eventOf(setup, { event_id: eventId }))}\n`;
}

function newIds(count: number): string[] {
  return Array.from({ length: count }, () => crypto.randomUUID());
}

/** Sends events as fast as they are taken. Ends, like the results, when the connection breaks. */
async function sendAll(stream: EventStream, setup: ApplicationSetup, eventIds: readonly string[]): Promise<void> {
  for (const eventId of eventIds) {
    await stream.write(lineOf(setup, eventId));
  }
  stream.end();
}

/** The results up to the end of the answer, or to where the connection broke. */
async function readAll(stream: EventStream, onResult: (count: number) => void = () => {}): Promise<BatchResult[]> {
  const results: BatchResult[] = [];
  try {
    for (let result = await stream.next(); result !== null; result = await stream.next()) {
      results.push(result);
      onResult(results.length);
    }
  } catch {
    // What was answered before counts.
  }
  return results;
}

/** How many attempts each event of an application has. */
async function attemptsOf(setup: ApplicationSetup): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.admin.query<{ event_id: string; attempts: number }>({
    text: `select e.event_id, count(a.request_attempt_id)::integer as attempts
           from event.event e
           left join webhook.open_attempt a on a.application_id = e.application_id and a.event_id = e.event_id
           where e.application_id = $1
           group by e.event_id`,
    values: [setup.applicationId],
  });
  return new Map(rows.map((row) => [row.event_id, row.attempts]));
}

/** What a killed process had sent is written all the same: only when its connections are gone is it certain what is there. */
async function apisAreGone(): Promise<boolean> {
  const { rows } = await database.admin.query({
    text: `select from pg_stat_activity where datname = current_database() and application_name = 'postrider api'`,
  });
  return rows.length === 0;
}

/** Peak resident memory in MiB, as the kernel counted it. */
function peakMemoryMiB(pid: number): number {
  const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

test('5,000 events of one stream are delivered exactly once', async () => {
  const api = await givenApi();
  const receiver = await startCountingReceiver();
  onTestFinished(() => receiver.kill('SIGKILL'));
  const worker = await startWorker({ databaseUrl: database.runtimeUrl, args: ['--concurrent=20'] });
  onTestFinished(() => worker.kill('SIGKILL'));
  const setup = await setUpApplication(new ApiClient(api.url));
  await subscribe(setup, receiver.url);
  const eventIds = newIds(5000);
  const stream = openEventStream(api.url, setup.secret);

  const [results] = await Promise.all([readAll(stream), sendAll(stream, setup, eventIds)]);

  expect(results.map(({ event }) => event?.event_id)).toEqual(eventIds);
  await eventually(async () => (await receiver.stats()).distinct >= 5000, { timeoutMs: 90_000 });
  await eventually(async () => [...(await attemptsOf(setup)).values()].every((attempts) => attempts === 0));
  expect(await receiver.stats()).toMatchObject({ requests: 5000, distinct: 5000, repeated: [] });
});

test('when the API is killed in the middle, what was answered is there, and sending it all again makes nothing twice', async () => {
  const killed = await givenApi();
  const setup = await setUpApplication(new ApiClient(killed.url));
  await subscribe(setup, 'https://example.com/one');
  await subscribe(setup, 'https://example.com/two');
  const eventIds = newIds(10_000);
  const stream = openEventStream(killed.url, setup.secret);

  const [results] = await Promise.all([
    readAll(stream, (count) => {
      if (count === 1500) {
        killed.kill('SIGKILL');
      }
    }),
    sendAll(stream, setup, eventIds),
  ]);
  await killed.waitForExit();
  await eventually(apisAreGone);

  const answered = results.flatMap(({ status, event }) => (status === 201 && event ? [event.event_id] : []));
  expect(answered.length).toBeGreaterThanOrEqual(1500);
  expect(answered.length).toBeLessThan(10_000);
  expect(answered).toEqual(eventIds.slice(0, answered.length));
  const left = await attemptsOf(setup);
  expect(answered.filter((eventId) => left.get(eventId) !== 2)).toEqual([]);

  const api = await givenApi();
  const again = openEventStream(api.url, setup.secret);
  const [resent] = await Promise.all([readAll(again), sendAll(again, setup, eventIds)]);

  expect(resent.length).toBe(10_000);
  const duplicates = resent.filter(({ status }) => status === 409);
  expect(duplicates.length).toBe(left.size);
  expect(new Set(duplicates.map(({ problem }) => problem?.code))).toEqual(new Set(['same_content']));
  expect(resent.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
  const all = await attemptsOf(setup);
  expect([all.size, new Set(all.values())]).toEqual([10_000, new Set([2])]);
});

test('on SIGTERM a stream ends with word of it, and the process ends', async () => {
  const api = await givenApi();
  const setup = await setUpApplication(new ApiClient(api.url));
  const stream = openEventStream(api.url, setup.secret);
  onTestFinished(() => stream.destroy());
  const eventIds = newIds(20_000);

  const sending = sendAll(stream, setup, eventIds);
  const results = await readAll(stream, (count) => {
    if (count === 500) {
      api.kill('SIGTERM');
    }
  });
  await sending;

  expect(results.at(-1)).toMatchObject({ status: 503, problem: { code: 'stream_ended' } });
  const answered = results.slice(0, -1).flatMap(({ event }) => event?.event_id ?? []);
  expect(answered).toEqual(eventIds.slice(0, results.length - 1));
  expect((await attemptsOf(setup)).size).toBe(answered.length);
  expect(await api.waitForExit()).toBe(0);
});

test('neither a line without an end nor a client that reads nothing fills the memory', async () => {
  const api = await givenApi();
  const setup = await setUpApplication(new ApiClient(api.url));

  const endless = openEventStream(api.url, setup.secret, { 'content-encoding': 'gzip' });
  onTestFinished(() => endless.destroy());
  const mebibyte = Buffer.alloc(1024 * 1024, 'x');
  const text = Readable.from([...Array.from({ length: 512 }, () => mebibyte), `\n${lineOf(setup, crypto.randomUUID())}`]);
  const sendingEndless = (async () => {
    for await (const chunk of text.pipe(createGzip())) {
      await endless.write(chunk);
    }
    endless.end();
  })();
  expect((await readAll(endless)).map(({ status }) => status)).toEqual([413, 201]);
  await sendingEndless;

  const deaf = openEventStream(api.url, setup.secret);
  onTestFinished(() => deaf.destroy());
  const large = `${JSON.stringify(eventOf(setup, { payload: 'x'.repeat(1024 * 1024), payload_content_type: 'text/plain', labels: {} }))}\n`;
  // Problems are longer than what causes them: the answer fills up long before all is sent.
  const refused = '{}\n'.repeat(10_000);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 200; sent += 1) {
      await deaf.write(sent % 2 === 0 ? large : refused);
    }
  })();
  await Promise.race([sending, eventually(async () => (await attemptsOf(setup)).size > 0)]);
  await eventually(async () => {
    const before = sent;
    await wait(1000);
    return sent === before;
  });
  const taken = sent;
  deaf.destroy();
  await sending;

  expect(taken).toBeLessThan(200);
  expect(peakMemoryMiB(api.pid)).toBeLessThan(400);
});
