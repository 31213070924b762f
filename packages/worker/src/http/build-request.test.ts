import { expect, test } from 'vitest';
import { buildRequest, type BuiltRequest, prepareTarget, type Target, type Unbuildable } from './build-request.ts';
import { parseRetryAfterMs } from './retry-after.ts';

const options = { signatureHeaderName: 'X-Hook0-Signature', requireHttps: false };

function build(
  target: Partial<Target> = {},
  eventTypeName = 'a.b.c',
  secrets: readonly [string, ...string[]] = ['secret'],
): BuiltRequest | Unbuildable {
  const prepared = prepareTarget({ method: 'POST', url: 'https://example.com/hook?x=1', headers: {}, ...target }, options);
  return prepared.kind === 'invalid'
    ? prepared
    : buildRequest({
        attempt: { requestAttemptId: 'attempt-1', eventId: 'event-1', eventTypeName, retryCount: 2 },
        event: { payload: Buffer.from('{}'), payloadContentType: 'application/json' },
        target: prepared,
        secrets,
        signing: { headerName: 'X-Hook0-Signature', v0: true, v1: true, standard: true },
        userAgent: 'Postrider/1',
        timestampSeconds: 1700000000,
      });
}

function headersOf(built: BuiltRequest | Unbuildable): Record<string, string> {
  const flat = built.kind === 'request' ? built.headers : [];
  return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), flat[index + 1] ?? '']] : [])));
}

test('carries everything that receivers are promised', () => {
  const built = build();
  expect(built).toMatchObject({ origin: 'https://example.com', path: '/hook?x=1', method: 'POST' });
  const headers = headersOf(built);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Postrider/1',
    'x-event-id': 'event-1',
    'x-event-type': 'a.b.c',
    'x-attempt-id': 'attempt-1',
    'x-retry-count': '2',
    'webhook-id': 'event-1',
    'webhook-timestamp': '1700000000',
  });
  expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
  expect(headers['x-hook0-signature']).toMatch(
    /^t=1700000000,h=content-type x-attempt-id x-event-id x-event-type x-retry-count,v1=[0-9a-f]{64},v0=[0-9a-f]{64}$/,
  );
});

test("during a rotation all secrets sign for Standard Webhooks, and the newest for Hook0's scheme", () => {
  const [before, after, both] = [['old'], ['new'], ['new', 'old']].map(([first = '', ...others]) =>
    headersOf(build({}, 'a.b.c', [first, ...others])),
  );
  expect(both?.['webhook-signature']).toBe(`${after?.['webhook-signature']} ${before?.['webhook-signature']}`);
  expect(both?.['x-hook0-signature']).toBe(after?.['x-hook0-signature']);
});

test('drops custom headers that would override ours, from the signature too', () => {
  const reserved = [
    'Content-Type',
    'User-Agent',
    'X-Event-Id',
    'x-event-type',
    'X-Attempt-Id',
    'X-Retry-Count',
    'webhook-id',
    'Webhook-Signature',
  ];
  const built = build({
    headers: Object.fromEntries([...reserved, 'x-hook0-signature', 'Host', 'Content-Length'].map((name) => [name, 'mine'])),
  });
  expect(Object.values(headersOf(built))).not.toContain('mine');
  expect(headersOf(built)['x-hook0-signature']).toContain('h=content-type x-attempt-id x-event-id x-event-type x-retry-count,');
});

test('sends and signs lists as one line, values trimmed', () => {
  const headers = headersOf(build({ headers: { 'X-List': ['a', 'b'], 'x-pad': '  c ' } }));
  expect(headers).toMatchObject({ 'x-list': 'a, b', 'x-pad': 'c' });
  expect(headers['x-hook0-signature']).toContain('x-list x-pad x-retry-count');
});

test('puts credentials of the URL into a header, unless there is one', () => {
  expect(headersOf(build({ url: 'https://user:p%40ss@example.com/' }))['authorization']).toBe(
    `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
  );
  expect(headersOf(build({ url: 'https://user:pass@example.com/', headers: { Authorization: 'Bearer x' } }))['authorization']).toBe(
    'Bearer x',
  );
});

test.each([
  ['a value that is not ASCII', { 'x-name': 'Zoë' }],
  ['a line break', { 'x-name': 'a\r\nx-injected: b' }],
  ['a name that is no token', { 'x name': 'a' }],
])('%s is E_INVALID_HEADER', (_name, headers) => {
  expect(build({ headers })).toMatchObject({ kind: 'invalid', errorName: 'E_INVALID_HEADER' });
});

test('an event type that is not ASCII is E_INVALID_HEADER', () => {
  expect(build({}, 'bestellung.größe.geändert')).toMatchObject({ kind: 'invalid', errorName: 'E_INVALID_HEADER' });
});

test.each(['', 'nonsense', 'ftp://example.com/', 'file:///etc/passwd', 'http://', 'http://%zz:p@example.com/'])(
  'the URL %j is E_INVALID_TARGET',
  (url) => {
    expect(build({ url })).toMatchObject({ kind: 'invalid', errorName: 'E_INVALID_TARGET' });
  },
);

test('plain http is refused where https is demanded', () => {
  const target = { method: 'POST', url: 'http://example.com/', headers: {} };
  expect(prepareTarget(target, { ...options, requireHttps: true })).toMatchObject({ errorName: 'E_INVALID_TARGET' });
});

test.each([
  ['120', 120_000],
  ['0', 0],
  ['Wed, 21 Oct 2015 07:28:10 GMT', 10_000],
  ['Wed, 21 Oct 2015 07:27:00 GMT', 0],
  ['Wednesday, 21-Oct-15 07:28:10 GMT', 10_000],
  ['-5', null],
  ['1.5', null],
  ['soon', null],
  ['2015', 2_015_000],
  [undefined, null],
])('reads Retry-After %j as %j', (value, expected) => {
  expect(parseRetryAfterMs(value, Date.parse('2015-10-21T07:28:00Z'))).toBe(expected);
});
