import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '@postrider/testkit/eventually';
import { type ApiProcess, startApi, startWorker, testMasterKey, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import { type Receiver, startReceiver } from '@postrider/testkit/receiver';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const row = z.record(z.string(), z.unknown());

let database: TestDatabase;
let api: ApiProcess;
let worker: WorkerProcess;
let receiver: Receiver;
let directory: string;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  directory = await mkdtemp(join(tmpdir(), 'postrider-cli-'));
  receiver = await startReceiver();
  api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  worker = await startWorker({
    databaseUrl: database.runtimeUrl,
    args: ['--concurrent=4', '--fast-retry-delay=100ms', '--retry-jitter-max=0s'],
  });
});
afterAll(async () => {
  worker.kill('SIGTERM');
  api.kill('SIGTERM');
  await Promise.all([worker.waitForExit(), api.waitForExit(), receiver.close()]);
  await database.drop();
  await rm(directory, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string>>;

function start(args: readonly string[], env: Env) {
  return spawn(process.execPath, [main, ...args], { cwd: directory, env: { PATH: process.env['PATH'], ...env } });
}

/** Runs the CLI as a shell would, in a folder of its own. */
async function cli(args: readonly string[], env: Env, input = ''): Promise<Ended> {
  const child = start(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
  child.stdin.end(input);
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** Runs it with --json; fails unless it succeeds and prints one document. */
async function json(args: readonly string[], env: Env, input = ''): Promise<z.output<typeof row>> {
  const { code, stdout, stderr } = await cli([...args, '--json'], env, input);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return row.parse(JSON.parse(stdout));
}

async function jsonList(args: readonly string[], env: Env): Promise<z.output<typeof row>[]> {
  const { code, stdout, stderr } = await cli([...args, '--json'], env);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return z.array(row).parse(JSON.parse(stdout));
}

/** An application with an event type and the environment of somebody who works with it. */
async function setUp() {
  const master = { POSTRIDER_API_URL: api.url, MASTER_API_KEY: testMasterKey };
  const organization = await json(['organizations', 'create', 'Acme'], master);
  const inside = { ...master, POSTRIDER_ORGANIZATION: String(organization['organization_id']) };
  const application = await json(['applications', 'create', 'Shop'], inside);
  const applicationId = String(application['application_id']);
  const secret = await json(['secrets', 'create', '--name', 'ci', '--application', applicationId], inside);
  const env = { POSTRIDER_API_URL: api.url, POSTRIDER_TOKEN: String(secret['token']), POSTRIDER_APPLICATION: applicationId };
  await json(['event-types', 'create', 'order.item.created'], env);
  return { env, inside, applicationId, token: String(secret['token']) };
}

function subscribe(env: Env, path: string) {
  const target = ['--url', `${receiver.url}${path}`, '--header', 'X-Key: of-the-receiver'];
  return json(['subscriptions', 'create', ...target, '--event-type', 'order.item.created', '--label', 'tenant=acme'], env);
}

test('sets an application up, sends an event, follows it until it is delivered, and replays it', async () => {
  const { env } = await setUp();
  receiver.respond('/main-job', { kind: 'answer', status: 500, body: 'not yet' }, { kind: 'answer', status: 204 });
  const subscription = await subscribe(env, '/main-job');
  const tail = start(['attempts', 'tail', '--json', '--subscription', String(subscription['subscription_id'])], env);
  const seen: z.output<typeof row>[] = [];
  createInterface({ input: tail.stdout }).on('line', (line) => seen.push(row.parse(JSON.parse(line))));

  const sent = await json(['events', 'send', 'order.item.created', '{"größe":"日本"}', '--label', 'tenant=acme'], env);

  const delivered = await eventually(() => seen.find(({ status }) => row.parse(status)['type'] === 'successful'));
  expect(delivered).toMatchObject({ event_id: sent['event_id'], retry_count: 1, http_response_status: 204 });
  expect(seen).toContainEqual(expect.objectContaining({ retry_count: 0, status: expect.objectContaining({ type: 'failed' }) }));
  const [request] = await receiver.waitForRequests(1, { path: '/main-job' });
  expect(request?.body.toString()).toBe('{"größe":"日本"}');
  expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'x-key': 'of-the-receiver' });

  const replayed = await cli(['events', 'replay', String(sent['event_id'])], env);
  await receiver.waitForRequests(3, { path: '/main-job' });
  expect(replayed).toEqual({ code: 0, stdout: `Event ${String(sent['event_id'])} is delivered again.\n`, stderr: '' });
  await eventually(() => seen.filter(({ status }) => row.parse(status)['type'] === 'successful').length === 2);
  // Nothing is told twice, whatever the number of polls between.
  const states = seen.map(({ request_attempt_id: id, status }) => `${String(id)} ${String(row.parse(status)['type'])}`);
  expect(new Set(states).size).toBe(states.length);

  tail.kill('SIGINT');
  await once(tail, 'close');
  expect(tail.exitCode).toBe(0);
});

test('reads what was sent and answered', async () => {
  const { env } = await setUp();
  await subscribe(env, '/read');
  receiver.respond('/read', { kind: 'answer', status: 410, body: 'gone for good' });
  const sent = await json(['events', 'send', 'order.item.created', 'plain', '--label', 'tenant=acme', '--metadata', 'by=hand'], env);
  const [attempt] = await eventually(async () => {
    const rows = await jsonList(['attempts', 'list', '--status', 'failed', '--event', String(sent['event_id'])], env);
    return rows.length === 1 && rows;
  });

  const event = await cli(['events', 'get', String(sent['event_id'])], env);
  const table = await cli(['attempts', 'list'], env);
  const got = await cli(['attempts', 'get', String(attempt?.['request_attempt_id'])], env);
  const body = await cli(['responses', 'get', String(attempt?.['response_id']), '--body'], env);

  expect(event.stdout).toMatch(/labels +tenant=acme\n(.*\n)*plain\n$/);
  expect(event.stdout).toMatch(/payload_content_type +text\/plain\n/);
  expect(table.stdout).toMatch(/^ATTEMPT +STATUS +HTTP .*\n[0-9a-f-]{36} {2}failed +410 +0 /);
  expect(got.stdout).toMatch(/status\.type +failed\n/);
  expect(body).toEqual({ code: 0, stdout: 'gone for good\n', stderr: '' });
});

test('follows the pages of a list up to its limit', async () => {
  const { env } = await setUp();
  await Promise.all(Array.from({ length: 7 }, () => cli(['events', 'send', 'order.item.created', '1'], env)));

  const all = await jsonList(['events', 'list'], env);
  const some = await cli(['events', 'list', '--limit', '3', '--json'], env);

  expect(all).toHaveLength(7);
  expect(JSON.parse(some.stdout)).toEqual(all.slice(0, 3));
  expect(some.stderr).toMatch(/There is more/);
});

test('takes a payload from a file and from standard input, and guesses what it is', async () => {
  const { env } = await setUp();
  await subscribe(env, '/payloads');
  await writeFile(join(directory, 'photo.png'), Buffer.from([0x89, 0x50, 0xff, 0x00]));

  await json(['events', 'send', 'order.item.created', '--file', 'photo.png', '--label', 'tenant=acme'], env);
  await json(['events', 'send', 'order.item.created', '--label', 'tenant=acme'], env, '[1,2]');

  const requests = await receiver.waitForRequests(2, { path: '/payloads' });
  const bodies = requests.map(({ headers, body }) => `${String(headers['content-type'])} ${body.toString('hex')}`).toSorted();
  expect(bodies).toEqual([
    expect.stringMatching(/^application\/json 5b312c325d$/),
    expect.stringMatching(/^application\/octet-stream.* 8950ff00$/),
  ]);
});

test('sends an event with the same id once', async () => {
  const { env } = await setUp();
  const args = [
    'events',
    'send',
    'order.item.created',
    '1',
    '--id',
    '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d',
    '--occurred-at',
    '2026-01-01T00:00:00Z',
  ];

  const first = await cli(args, env);
  const again = await cli(args, env);
  const other = await cli([...args, '--label', 'tenant=acme'], env);

  expect(first.code).toBe(0);
  expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/ingested before/) });
  expect(other).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/different content/) });
});

test('enables and disables a subscription and leaves the rest of it as it was', async () => {
  const { env } = await setUp();
  const created = await subscribe(env, '/switched');
  const id = String(created['subscription_id']);

  const disabled = await cli(['subscriptions', 'disable', id], env);
  const after = await json(['subscriptions', 'get', id, '--show-secrets'], env);
  await cli(['subscriptions', 'enable', id], env);
  const enabled = await json(['subscriptions', 'get', id, '--show-secrets'], env);

  expect(disabled).toMatchObject({ code: 0, stdout: `Disabled subscription ${id}.\n` });
  expect(after).toMatchObject({ is_enabled: false, target: created['target'], labels: created['labels'], secret: created['secret'] });
  expect(enabled).toMatchObject({ is_enabled: true, event_types: created['event_types'], description: created['description'] });
});

describe('secrets', () => {
  test('are shown when they are made and on demand, and never else', async () => {
    const { env, inside, applicationId, token } = await setUp();
    const created = await subscribe(env, '/hidden');
    const id = String(created['subscription_id']);

    const outputs = await Promise.all([
      cli(['secrets', 'list'], env),
      cli(['secrets', 'list', '--json', '--application', applicationId], inside),
      cli(['subscriptions', 'get', id], env),
      cli(['subscriptions', 'get', id, '--json'], env),
      cli(['subscriptions', 'list', '--json'], env),
    ]);
    const shown = await jsonList(['secrets', 'list', '--show-secrets'], env);

    for (const { code, stdout, stderr } of outputs) {
      expect(code).toBe(0);
      for (const secret of [
        token,
        String(created['secret']),
        String(created['standard_webhooks_secret']),
        'of-the-receiver',
        testMasterKey,
      ]) {
        expect(stdout + stderr).not.toContain(secret);
      }
    }
    expect(shown).toContainEqual(expect.objectContaining({ name: 'ci', token }));
  });

  test('are deleted by name, by the end of the token, or by a token on standard input', async () => {
    const { inside, applicationId } = await setUp();
    const env = { ...inside, POSTRIDER_APPLICATION: applicationId };
    const byEnd = await json(['secrets', 'create', '--name', 'two'], env);
    const byInput = await json(['secrets', 'create', '--name', 'three'], env);

    const deleted = [
      await cli(['secrets', 'delete', 'ci'], env),
      await cli(['secrets', 'delete', String(byEnd['token']).slice(-8)], env),
      await cli(['secrets', 'delete', '-'], env, `${String(byInput['token'])}\n`),
    ];
    const unknown = await cli(['secrets', 'delete', 'ci'], env);

    expect(deleted.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect((await jsonList(['secrets', 'list'], env)).map(({ name }) => name)).toEqual(['Default']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('what goes wrong', () => {
  test('is told as the API tells it, field by field, and ends with 1', async () => {
    const { env } = await setUp();

    const invalid = await cli(['subscriptions', 'create', '--url', 'ftp://x', '--event-type', 'order.item.created', '--json'], env);
    const missing = await cli(['events', 'send', 'no.such.type', '{}'], env);
    const refused = await cli(['organizations', 'list'], env);
    const unknown = await cli(['events', 'list'], { ...env, POSTRIDER_TOKEN: 'nonsense' });

    expect(invalid).toMatchObject({ code: 1, stdout: '' });
    expect(invalid.stderr).toMatch(/^postrider: Invalid values \(422 Validation\)\n.*\n {2}target\.url: wanted an http or https URL\n/);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/400 EventTypeDoesNotExist/) });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/403 Forbidden/) });
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/403 AuthInvalidBiscuit/) });
    expect(unknown.stderr).not.toContain('nonsense');
  });

  test('ends with 0 when the reader of the output has had enough', async () => {
    const { env } = await setUp();
    await subscribe(env, '/head');
    const tail = start(['attempts', 'tail', '--json'], env);
    await cli(['events', 'send', 'order.item.created', '1', '--label', 'tenant=acme'], env);
    await once(tail.stdout, 'data');
    const ended = once(tail, 'exit');

    tail.stdout.destroy();
    await cli(['events', 'send', 'order.item.created', '2', '--label', 'tenant=acme'], env);

    expect(await ended).toEqual([0, null]);
  });

  test('a tail outlives a restart of the API', async () => {
    const { env } = await setUp();
    await subscribe(env, '/restart');
    const second = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
    const port = new URL(second.url).port;
    const tail = start(['attempts', 'tail', '--json', '--api-url', second.url], env);
    let stdout = '';
    let stderr = '';
    tail.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    tail.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    await cli(['events', 'send', 'order.item.created', '1', '--label', 'tenant=acme'], env);
    await eventually(() => stdout.includes('successful'));
    second.kill('SIGTERM');
    await second.waitForExit();
    await eventually(() => stderr.includes('cannot be reached'));

    const sent = await json(['events', 'send', 'order.item.created', '2', '--label', 'tenant=acme'], env);
    const third = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', PORT: port } });

    await eventually(() => stdout.includes(String(sent['event_id'])));
    tail.kill('SIGTERM');
    await once(tail, 'close');
    third.kill('SIGTERM');
    await third.waitForExit();
    expect(tail.exitCode).toBe(0);
  });
});
