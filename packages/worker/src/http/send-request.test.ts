import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startReceiver, type Behaviour, type Receiver } from '@postrider/testkit/receiver';
import { makeTestCertificates, type TestCertificates } from '@postrider/testkit/test-certificates';
import { parseCidr } from '@postrider/shared/domain/ip-address';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import { buildRequest, prepareTarget, type Target } from './build-request.ts';
import { createResolver, type ResolveHost } from './dns.ts';
import { createSender, type Sender, type SenderOptions } from './send-request.ts';

const MiB = 1024 * 1024;
const timeoutMs = 1000;
const now = (): number => performance.now();

let receiver: Receiver;
let sender: Sender;

function givenSender(changes: Partial<SenderOptions> = {}): Sender {
  return createSender({
    slots: 4,
    timeoutMs,
    connectTimeoutMs: 500,
    responseBodyBytesMax: 16 * 1024,
    disableTargetIpCheck: true,
    allowedTargetCidrs: [],
    resolve: createResolver({ timeoutMs: 500, now }),
    now,
    epochNow: Date.now,
    ...changes,
  });
}

beforeEach(async () => {
  receiver = await startReceiver();
  sender = givenSender();
});
afterEach(async () => {
  await sender.close();
  await receiver.close();
});

async function send(target: Partial<Target> = {}, payload = '{"a":1}', through = sender): Promise<DeliveryOutcome> {
  const prepared = prepareTarget(
    { method: 'POST', url: `${receiver.url}/`, headers: {}, ...target },
    { signatureHeaderName: 'X-Hook0-Signature', requireHttps: false },
  );
  if (prepared.kind === 'invalid') {
    throw new Error(prepared.message);
  }
  const built = buildRequest({
    attempt: { requestAttemptId: 'attempt', eventId: 'event', eventTypeName: 'order.item.created', retryCount: 0 },
    event: { payload: Buffer.from(payload), payloadContentType: 'application/json' },
    target: prepared,
    secrets: ['secret'],
    signing: { headerName: 'X-Hook0-Signature', v0: false, v1: true, standard: true },
    userAgent: 'Postrider/test',
    timestampSeconds: 1,
  });
  if (built.kind === 'invalid') {
    throw new Error(built.message);
  }
  return new Promise((resolve) => through.send(built, null, resolve));
}

async function sendTo(...behaviours: Behaviour[]): Promise<DeliveryOutcome> {
  receiver.respond('/', ...behaviours);
  return send();
}

test('takes the answer with its headers and body', async () => {
  const outcome = await sendTo({ kind: 'answer', status: 201, headers: { 'X-One': 'a', 'set-cookie': ['b=1', 'c=2'] }, body: 'thanks' });
  expect(outcome).toMatchObject({
    kind: 'response',
    retryAfterMs: null,
    response: { httpCode: 201, headers: { 'x-one': 'a', 'set-cookie': 'b=1, c=2' }, bodyTruncated: false },
  });
  expect(outcome.kind === 'response' && outcome.response.body.toString()).toBe('thanks');
});

test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  'sends %s with the payload, its length, and never in chunks',
  async (method) => {
    await send({ method });
    const [request] = await receiver.waitForRequests(1);
    expect(request?.method).toBe(method);
    expect(request?.body.toString()).toBe('{"a":1}');
    expect(request?.headers['content-length']).toBe('7');
    expect(request?.headers['transfer-encoding']).toBeUndefined();
  },
);

// A connection is used again a turn of the event loop after its answer, so that requests one right after the other alternate between two.
test('uses connections again and again, for concurrent requests one each', async () => {
  for (let count = 0; count < 20; count += 1) {
    await send();
  }
  expect(receiver.connections()).toBeLessThanOrEqual(2);
  await Promise.all(Array.from({ length: 8 }, () => send()));
  expect(receiver.connections()).toBeLessThanOrEqual(4);
});

test('does not follow a redirect', async () => {
  const outcome = await sendTo({ kind: 'answer', status: 302, headers: { location: `${receiver.url}/elsewhere` } });
  expect(outcome).toMatchObject({ kind: 'response', response: { httpCode: 302 } });
  expect(receiver.requests.map(({ path }) => path)).toEqual(['/']);
});

test.each([
  ['hangs before its headers', { kind: 'hang' }, 'E_TIMEOUT', 'did not answer in time'],
  ['drips its body for ever', { kind: 'drip', everyMs: 20 }, 'E_TIMEOUT', 'did not finish its answer'],
  ['is slower than the timeout', { kind: 'answer', status: 200, delayMs: 10 * timeoutMs }, 'E_TIMEOUT', 'did not answer in time'],
  ['resets before its headers', { kind: 'reset', when: 'before_head' }, 'E_CONNECTION', 'reset'],
  ['resets in its body', { kind: 'reset', when: 'in_body' }, 'E_CONNECTION', 'broke off its answer'],
  ['answers garbage', { kind: 'garbage' }, 'E_CONNECTION', 'not HTTP'],
  ['closes without an answer', { kind: 'close' }, 'E_CONNECTION', 'without an answer'],
] as const)('a receiver that %s ends within the timeout as its error', async (_name, behaviour, errorName, message) => {
  const startedAt = now();
  const outcome = await sendTo(behaviour);
  expect(outcome).toMatchObject({ kind: 'error', errorName });
  expect(outcome.kind === 'error' && outcome.message).toContain(message);
  expect(now() - startedAt).toBeLessThan(10 * timeoutMs);
  // The sender goes on as if nothing had been.
  expect(await sendTo({ kind: 'answer', status: 200 })).toMatchObject({ kind: 'response' });
});

test('reads no more than a part of 100 MB and keeps a prefix', async () => {
  const before = process.memoryUsage().rss;
  const outcome = await sendTo({ kind: 'flood', bytes: 100 * MiB });
  expect(outcome).toMatchObject({ kind: 'response', response: { httpCode: 200, bodyTruncated: true } });
  expect(outcome.kind === 'response' && outcome.response.body.length).toBe(16 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(80 * MiB);
});

test('a refused connection is E_CONNECTION', async () => {
  const gone = await startReceiver();
  await gone.close();
  expect(await send({ url: gone.url })).toMatchObject({ kind: 'error', errorName: 'E_CONNECTION' });
});

test('a name without an address is E_DNS', async () => {
  const resolve: ResolveHost = createResolver({ timeoutMs: 200, now });
  const through = givenSender({ resolve });
  expect(await send({ url: 'http://does-not-exist.invalid/' }, '', through)).toMatchObject({ kind: 'error', errorName: 'E_DNS' });
  await through.close();
});

test.each([
  ['the timeout', { timeoutMs: 200, connectTimeoutMs: 60_000 }],
  ['the connect timeout', { timeoutMs: 60_000, connectTimeoutMs: 200 }],
])('a name server that never answers ends at %s', async (_name, timeouts) => {
  const through = givenSender({ ...timeouts, resolve: () => new Promise(() => {}) });
  expect(await send({ url: 'http://slow.example/' }, '', through)).toMatchObject({ kind: 'error', errorName: 'E_TIMEOUT' });
  await through.close();
});

test('goes on to the next address when one does not connect', async () => {
  const { port } = new URL(receiver.url);
  const resolve: ResolveHost = () =>
    Promise.resolve([
      { address: '127.0.0.2', family: 4 },
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]);
  const through = givenSender({ resolve });
  expect(await send({ url: `http://several.example:${port}/` }, '', through)).toMatchObject({ kind: 'response' });
  await through.close();
});

test('reads Retry-After', async () => {
  expect(await sendTo({ kind: 'answer', status: 429, headers: { 'retry-after': '120' } })).toMatchObject({ retryAfterMs: 120_000 });
});

test('abortAll ends what is in flight', async () => {
  const sent = sendTo({ kind: 'hang' });
  await receiver.waitForRequests(1);
  sender.abortAll();
  expect(await sent).toMatchObject({ kind: 'error', message: expect.stringContaining('stopped') });
});

describe('forbidden targets', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'localhost',
    'sub.localhost',
    '169.254.169.254',
  ])('are not connected to at %s', async (host) => {
    const through = givenSender({ disableTargetIpCheck: false });
    const outcome = await send({ url: `http://${host}:${new URL(receiver.url).port}/` }, '', through);
    expect(outcome).toMatchObject({ kind: 'error', errorName: 'E_INVALID_TARGET' });
    expect(receiver.connections()).toBe(0);
    await through.close();
  });

  test('a name is refused when any of its addresses is forbidden, and is looked up once', async () => {
    let lookups = 0;
    const resolve: ResolveHost = () => {
      lookups += 1;
      return Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    };
    const through = givenSender({ disableTargetIpCheck: false, resolve });
    expect(await send({ url: 'http://rebinding.example/' }, '', through)).toMatchObject({ errorName: 'E_INVALID_TARGET' });
    expect(lookups).toBe(1);
    await through.close();
  });

  test('are connected to where the operator allows their range', async () => {
    const range = parseCidr('127.0.0.0/8');
    const through = givenSender({ disableTargetIpCheck: false, allowedTargetCidrs: range ? [range] : [] });
    expect(await send({}, '', through)).toMatchObject({ kind: 'response' });
    await through.close();
  });
});

describe('https', () => {
  let certificates: TestCertificates;
  let secure: Receiver;

  beforeAll(async () => {
    certificates = await makeTestCertificates();
  });
  afterEach(() => secure.close());

  test('works with a certificate that is trusted', async () => {
    secure = await startReceiver({ tls: certificates.trusted });
    const through = givenSender({ ca: certificates.ca });
    expect(await send({ url: secure.url }, '{}', through)).toMatchObject({ kind: 'response', response: { httpCode: 200 } });
    expect(await send({ url: secure.url }, '{}', through)).toMatchObject({ kind: 'response' });
    await send({ url: secure.url }, '{}', through);
    await send({ url: secure.url }, '{}', through);
    expect(secure.connections()).toBeLessThanOrEqual(2);
    await through.close();
  });

  test('refuses one that is not', async () => {
    secure = await startReceiver({ tls: certificates.untrusted });
    const through = givenSender({ ca: certificates.ca });
    const outcome = await send({ url: secure.url }, '{}', through);
    expect(outcome).toMatchObject({ kind: 'error', errorName: 'E_CONNECTION', message: expect.stringContaining('certificate') });
    expect(secure.requests).toHaveLength(0);
    await through.close();
  });
});
