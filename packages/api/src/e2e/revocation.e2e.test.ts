import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ApiClient, type ApplicationSetup, eventOf, setUpApplication } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

async function givenApi(env: Readonly<Record<string, string>> = {}): Promise<ApiProcess> {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', ...env } });
  onTestFinished(() => api.kill('SIGKILL'));
  return api;
}

/** A way to the database that can stand still without a word, be cut, and be open again. */
async function givenWire() {
  const target = new URL(database.runtimeUrl);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.pipe(upstream).pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  const address = server.address();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
    freeze: () => sockets.forEach((socket) => socket.unpipe().pause()),
    cut() {
      isCut = true;
      sockets.forEach((socket) => socket.destroy());
    },
    mend() {
      isCut = false;
    },
  };
}

async function metric(api: ApiProcess, name: string): Promise<number> {
  const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 0,
  );
}

const hits = (api: ApiProcess): Promise<number> =>
  metric(api, 'postrider_api_cache_look_ups_total{cache="application_secret",result="hit"}');
const isListening = async (api: ApiProcess): Promise<boolean> => (await metric(api, 'postrider_api_cache_listening')) === 1;

async function post(api: ApiProcess, setup: ApplicationSetup): Promise<number> {
  return (await new ApiClient(api.url, setup.secret).call('POST', '/api/v1/event', eventOf(setup))).status;
}

/** The other process answers for the token from memory by now. */
async function givenKnown(api: ApiProcess, setup: ApplicationSetup): Promise<void> {
  const before = await hits(api);
  expect([await post(api, setup), await post(api, setup)]).toEqual([201, 201]);
  expect(await hits(api)).toBeGreaterThan(before);
}

function revoke(api: ApiProcess, setup: ApplicationSetup): Promise<unknown> {
  return new ApiClient(api.url).expect('DELETE', `/api/v1/application_secrets/${setup.secret}?application_id=${setup.applicationId}`);
}

test('a revoked token is refused by another process within a second', async () => {
  const [one, other] = await Promise.all([givenApi(), givenApi()]);
  const setup = await setUpApplication(new ApiClient(one.url));
  await eventually(() => isListening(other));
  await givenKnown(other, setup);
  await revoke(one, setup);
  expect(await post(one, setup)).toBe(403);
  // A second is promised; on a busy machine ten are granted, of the minute that tokens are kept.
  await eventually(async () => (await post(other, setup)) === 403, { timeoutMs: 10_000, intervalMs: 10 });
});

test('a listener that has died without a word: a revoked token is refused when its time in memory is up', async () => {
  const wire = await givenWire();
  const [one, other] = await Promise.all([givenApi(), givenApi({ DATABASE_DIRECT_URL: wire.url, AUTH_CACHE_TTL: '5s' })]);
  const setup = await setUpApplication(new ApiClient(one.url));
  await eventually(() => isListening(other));
  wire.freeze();
  await givenKnown(other, setup);
  await revoke(one, setup);
  expect(await post(other, setup)).toBe(201);
  await eventually(async () => (await post(other, setup)) === 403, { timeoutMs: 50_000, intervalMs: 100 });
});

test('a listener that is cut off ends nothing: nothing is answered from memory until it is back', async () => {
  const wire = await givenWire();
  const [one, other] = await Promise.all([givenApi(), givenApi({ DATABASE_DIRECT_URL: wire.url })]);
  const [setup, later] = [await setUpApplication(new ApiClient(one.url)), await setUpApplication(new ApiClient(one.url))];
  await eventually(() => isListening(other));
  await givenKnown(other, setup);
  wire.cut();
  await eventually(async () => !(await isListening(other)));
  await revoke(one, setup);
  expect(await post(other, setup)).toBe(403);
  wire.mend();
  await eventually(() => isListening(other));
  await givenKnown(other, later);
});
