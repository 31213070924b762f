import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { freePort } from '@postrider/testkit/free-port';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommandLine } from './cli.ts';
import { version } from './version.ts';

const application = '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d';

let directory: string;
let server: Server | undefined;
let requests: { method: string; url: string; authorization: string | undefined; body: string }[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postrider-cli-'));
  requests = [];
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

/** Serves `answer` on a port of its own and remembers what was asked. */
async function serve(answer: RequestListener): Promise<string> {
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      requests.push({ method: request.method ?? '', url: request.url ?? '', authorization: request.headers.authorization, body });
      answer(request, response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return (_request, response) => response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly terminal?: number;
  readonly stopped?: AbortSignal;
}

async function run(args: readonly string[], { env = {}, input, terminal, stopped }: RunOptions = {}) {
  let stdout = '';
  let stderr = '';
  const screen = { isTerminal: terminal !== undefined, columns: terminal ?? null };
  const code = await runCommandLine(args, {
    env: { POSTRIDER_APPLICATION: application, ...env },
    directory,
    stdin: Object.assign(Readable.from(input === undefined ? [] : [Buffer.from(input)]), { isTTY: input === undefined }),
    stdout: { ...screen, write: (text) => (stdout += text) },
    stderr: { ...screen, write: (text) => (stderr += text) },
    stopped: stopped ?? new AbortController().signal,
  });
  return { code, stdout, stderr };
}

const token = { POSTRIDER_TOKEN: 'the-token' };

describe('where the API is and who asks', () => {
  test('comes from the environment, and the option beats it', async () => {
    const url = await serve(answering(200, '[]'));

    await run(['events', 'list'], { env: { ...token, MASTER_API_KEY: 'the-key', POSTRIDER_API_URL: `${url}/` } });
    await run(['events', 'list', '--api-url', `${url}/api/v1/`], {
      env: { MASTER_API_KEY: 'the-key', POSTRIDER_API_URL: 'http://nowhere.invalid' },
    });

    expect(requests).toMatchObject([
      { url: `/api/v1/events?application_id=${application}&per_page=100`, authorization: 'Bearer the-token' },
      { url: `/api/v1/events?application_id=${application}&per_page=100`, authorization: 'Bearer the-key' },
    ]);
  });

  test('comes from what npm start wrote only when neither a URL nor a token is given', async () => {
    const url = await serve(answering(200, '[]'));
    mkdirSync(join(directory, '.postrider'));
    const demo = { api_url: `${url}/api/v1`, master_api_key: 'the-demo-key', application_id: 'demo-application' };
    writeFileSync(join(directory, '.postrider/demo.json'), JSON.stringify(demo));

    const found = await run(['event-types', 'list'], { env: { POSTRIDER_APPLICATION: '' } });
    const elsewhere = await run(['event-types', 'list', '--api-url', url]);

    expect(found.code).toBe(0);
    expect(requests).toMatchObject([{ url: '/api/v1/event_types?application_id=demo-application', authorization: 'Bearer the-demo-key' }]);
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringMatching(/No token/) });
  });

  test.each([
    ['nothing at all', {}, /POSTRIDER_API_URL.*\n.*demo\.json/],
    ['a URL of another kind', { ...token, POSTRIDER_API_URL: 'ftp://x' }, /Not the URL of an API/],
    ['a token that is none', { POSTRIDER_API_URL: 'http://x', POSTRIDER_TOKEN: 'a\nb' }, /characters that no token has/],
  ])('%s is a usage error', async (_case, env, words) => {
    expect(await run(['events', 'list'], { env })).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(words) });
  });
});

describe('a server that does not answer as the API', () => {
  test('is named when nothing listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;

    const { code, stderr } = await run(['events', 'list', '--api-url', url], { env: token });

    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `postrider: ${url} cannot be reached: nothing listens there (ECONNREFUSED).\nTried GET ${url}/api/v1/events?application_id=${application}&per_page=100\n`,
    });
  });

  test('is given up after the timeout, with the id that makes sending again harmless', async () => {
    const url = await serve(() => undefined);

    const { code, stderr } = await run(['events', 'send', 'a.b.c', '1', '--timeout', '1', '--api-url', url], { env: token });

    expect(code).toBe(3);
    expect(stderr).toContain(`POST ${url}/api/v1/event was not answered within 1 s`);
    expect(stderr).toContain(`--id ${JSON.parse(requests[0]?.body ?? '{}').event_id}`);
  });

  test.each([
    ['a page of another server', answering(200, '<html>'), /answered 200, but not as Postrider's API does/],
    ['an error of a proxy', answering(502, 'Bad Gateway'), /answered 502/],
    ['a redirect', answering(301, '', { location: 'https://elsewhere.example' }), /redirects to https:\/\/elsewhere\.example/],
    ['something else than a list', answering(200, '{}'), /something else than a list/],
  ])('%s counts as not reached', async (_case, answer, words) => {
    const url = await serve(answer);

    expect(await run(['events', 'list', '--api-url', url], { env: token })).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(words),
    });
    expect(requests).toHaveLength(1);
  });
});

test('follows pages by the query of their links, never to another server', async () => {
  const page = (ids: readonly string[]) => JSON.stringify(ids.map((id) => ({ event_id: id })));
  const url = await serve((request, response) => {
    const isFirst = !request.url?.includes('pagination_cursor');
    const link = { link: '<https://internal.example/other/events?pagination_cursor=abc>; rel="next"' };
    response.writeHead(200, isFirst ? link : {}).end(isFirst ? page(['1', '2']) : page(['3']));
  });

  const { stdout } = await run(['events', 'list', '--json', '--api-url', url], { env: token });

  expect(JSON.parse(stdout)).toEqual([{ event_id: '1' }, { event_id: '2' }, { event_id: '3' }]);
  expect(requests.map((request) => request.url)[1]).toBe('/api/v1/events?pagination_cursor=abc');
});

describe('problems', () => {
  const problem = {
    title: 'Too many requests',
    detail: 'Slow down.',
    id: 'RateLimited',
    validation: null,
    type: 'http://x/errors/RateLimited',
  };

  test('say when to try again', async () => {
    const url = await serve(answering(429, JSON.stringify(problem), { 'retry-after': '7' }));

    expect(await run(['events', 'list', '--api-url', url], { env: token })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'postrider: Too many requests (429 RateLimited)\nSlow down.\nTry again in 7 s.\nSee http://x/errors/RateLimited\n',
    });
  });

  test('name the request where the server failed', async () => {
    const url = await serve(answering(500, JSON.stringify({ ...problem, id: 'InternalServerError' }), { 'x-request-id': 'abc' }));

    expect(await run(['events', 'list', '--api-url', url], { env: token })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/X-Request-Id: abc/),
    });
  });
});

describe('the command line', () => {
  test.each([
    [['events', 'get', 'nonsense'], /<event>: wanted an id/],
    [['events', 'list', '--limit', '0'], /--limit: wanted a whole number/],
    [['events', 'list', '--since', 'soon'], /--since: wanted a time/],
    [['events', 'send', 'a.b.c', '1', '--label', 'x'], /--label: wanted key=value/],
    [['events', 'send', 'a.b.c'], /No payload/],
    [['events', 'send', 'a.b.c', '1', '--file', 'x'], /not from both/],
    [['events', 'send', 'a.b.c', '--file', 'missing.json'], /missing\.json cannot be read/],
    [['events', 'send', 'a.b.c', '1', '--content-type', 'x'], /--content-type: wanted application\/json/],
    [['event-types', 'create', 'two.parts'], /three parts/],
    [['attempts', 'tail', '--status', 'done'], /--status: wanted waiting/],
    [['subscriptions', 'create', '--header', 'x'], /--header: wanted name: value/],
    [['subscriptions', 'create', '--more', '[]'], /--more: wanted a JSON object/],
    [['nonsense'], /unknown command/],
    [['events', 'list', '--nonsense'], /unknown option/],
    [['events'], /Usage: postrider events/],
  ])('%j ends with 2 and sends nothing', async (args, words) => {
    const url = await serve(answering(200, '[]'));

    expect(await run(args, { env: { ...token, POSTRIDER_API_URL: url } })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(words),
    });
    expect(requests).toEqual([]);
  });

  test('a file that is named JSON and is none is not sent as text', async () => {
    writeFileSync(join(directory, 'a.json'), '{');
    const url = await serve(answering(201, '{}'));
    const args = ['events', 'send', 'a.b.c', '--file', join(directory, 'a.json'), '--api-url', url];

    expect(await run(args, { env: token })).toMatchObject({ code: 2, stderr: expect.stringMatching(/is not JSON/) });
    expect(await run([...args, '--content-type', 'text/plain'], { env: token })).toMatchObject({ code: 0 });
  });

  test('asks which application where nothing says it', async () => {
    expect(await run(['events', 'list'], { env: { ...token, POSTRIDER_APPLICATION: '' } })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Which application\? .*postrider applications list/),
    });
  });

  test('says in its help where it looks for the API and what it ends with', async () => {
    const { code, stdout } = await run(['--help']);

    expect(code).toBe(0);
    expect(stdout).toMatch(/\.postrider\/demo\.json/);
    expect(stdout).toMatch(/Exit codes:/);
  });

  test('has the version of its package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
    expect(version).toBe(manifest.version);
  });

  test.each([
    ['pause', '[hidden]'],
    ['resume', '[hidden]'],
    ['test', '[hidden]'],
    ['rotate-secret', 'new'],
  ])('subscriptions %s asks the API for it', async (name, secret) => {
    const url = await serve(answering(200, JSON.stringify({ subscription_id: application, secret: 'new' })));

    const { code, stdout } = await run(['subscriptions', name, application, '--json', '--api-url', url], { env: token });

    expect(code).toBe(0);
    expect(requests).toMatchObject([{ method: 'POST', url: `/api/v1/subscriptions/${application}/${name.replace('-', '_')}` }]);
    expect(JSON.parse(stdout)).toMatchObject({ secret });
  });
});

describe('tables', () => {
  const row = { event_type_name: 'order.item.created', service_name: 'order', resource_type_name: 'item', verb_name: 'created' };

  test('are coloured on a terminal, not elsewhere, and never with NO_COLOR', async () => {
    const url = await serve(answering(200, JSON.stringify([row])));
    const args = ['event-types', 'list', '--api-url', url];

    expect((await run(args, { env: token, terminal: 80 })).stdout).toContain('\u001b[');
    expect((await run(args, { env: token })).stdout).not.toContain('\u001b[');
    expect((await run(args, { env: { ...token, NO_COLOR: '1' }, terminal: 80 })).stdout).not.toContain('\u001b[');
  });

  test('of subscriptions show how each is delivered to', async () => {
    const held = {
      subscription_id: application,
      status: 'held',
      hold_until: '2026-01-01T00:10:00.000Z',
      target: { url: 'https://example.com/' },
    };
    const url = await serve(answering(200, JSON.stringify([held])));

    const { stdout } = await run(['subscriptions', 'list', '--application', application, '--api-url', url], { env: token });

    expect(stdout).toMatch(/STATUS +HOLD UNTIL/);
    expect(stdout).toMatch(/held +2026-01-01T00:10:00/);
  });

  test('of one attempt say what holds it back', async () => {
    const attempt = { request_attempt_id: application, status: { type: 'pending' }, why: 'The subscription is paused.', hold_until: null };
    const url = await serve(answering(200, JSON.stringify(attempt)));

    const { stdout } = await run(['attempts', 'get', application, '--application', application, '--api-url', url], { env: token });

    expect(stdout).toMatch(/why +The subscription is paused\./i);
  });

  test('say when there is nothing, and print nothing', async () => {
    const url = await serve(answering(200, '[]'));

    expect(await run(['event-types', 'list', '--api-url', url], { env: token })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Nothing to list.\n',
    });
    expect(await run(['event-types', 'list', '--json', '--api-url', url], { env: token })).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
  });
});

test('Ctrl-C ends a command that waits', async () => {
  const stopping = new AbortController();
  const url = await serve(() => stopping.abort());

  expect(await run(['events', 'list', '--api-url', url], { env: token, stopped: stopping.signal })).toMatchObject({
    code: 130,
    stdout: '',
  });
});
