import { createHmac } from 'node:crypto';
import { verifyWebhookSignature } from 'hook0-client';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { WebhookVerificationError } from './failure.ts';
import { type Hook0WebhookToVerify, verifyHook0Webhook } from './hook0.ts';
import { verifyStandardWebhook } from './standard.ts';
import { verifyWebhook } from './verify-webhook.ts';

const eventId = '1a01cb48-5142-4d9b-8f90-d20cca61f0ee';
const secret = '2a7a3c0e-6d0a-4f0e-8f39-4a2f5c8a3b11';
const other = '7b0f5a77-2f41-4e0c-9a55-0d8c8d2b6c22';
const whsec = (text: string): string => `whsec_${Buffer.from(text).toString('base64')}`;

/** The published vector of Hook0's scheme. */
const hook0: Hook0WebhookToVerify = {
  headers: {
    'x-event-id': eventId,
    'x-event-type': 'service.resource.verb',
    'x-hook0-signature':
      't=1636936200,h=x-event-id x-event-type,v1=bc521546ba5de381b12f135782d2008b028c3065c191760b12b76850a8fc8f51,' +
      'v0=1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98',
  },
  body: 'hello !',
  secret: 'secret',
  now: () => 1_636_936_200_000,
};
const v0Only = { 'x-hook0-signature': 't=1636936200,v0=1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98' };

/** The published vector of Standard Webhooks. */
const standard = {
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  body: '{"test": 2432232314}',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  now: () => 1_614_265_330_000,
};

async function refusalOf(promise: Promise<unknown>): Promise<WebhookVerificationError> {
  const error = await promise.then(
    (value) => expect.fail(`accepted: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WebhookVerificationError)) {
    throw error;
  }
  return error;
}

describe('published vectors', () => {
  test("Hook0's v1, which covers the event's id and type", async () => {
    const signedAt = new Date(1_636_936_200_000);
    expect(await verifyHook0Webhook(hook0)).toEqual({ scheme: 'hook0', signedAt, eventId, eventType: 'service.resource.verb' });
  });

  test("Hook0's v0, where it is accepted, covers neither", async () => {
    const webhook = { ...hook0, headers: { ...hook0.headers, ...v0Only } };
    expect(await verifyHook0Webhook({ ...webhook, acceptV0: true })).toMatchObject({ eventId: null, eventType: null });
    expect(await refusalOf(verifyHook0Webhook(webhook))).toMatchObject({ problem: 'version_not_accepted' });
    // A v1 that does not hold is not made up for by a v0 that does.
    const headers = { ...hook0.headers, 'x-event-type': 'another' };
    expect(await refusalOf(verifyHook0Webhook({ ...hook0, headers, acceptV0: true }))).toMatchObject({ problem: 'signature_mismatch' });
  });

  test('Standard Webhooks', async () => {
    const verified = await verifyStandardWebhook(standard);
    expect(verified).toEqual({
      scheme: 'standard_webhooks',
      signedAt: new Date(1_614_265_330_000),
      eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      eventType: null,
    });
  });
});

describe('what other libraries sign and verify', () => {
  const body = '{"größe":"日本"}';
  const seconds = Math.floor(Date.now() / 1000);
  const signed = new Webhook(whsec(secret)).sign(eventId, new Date(seconds * 1000), body);
  const standardHeaders = { 'webhook-id': eventId, 'webhook-timestamp': String(seconds), 'webhook-signature': signed };
  const v1 = createHmac('sha256', secret).update(`${seconds}.x-event-id.${eventId}.${body}`).digest('hex');
  const hook0Headers = { 'x-event-id': eventId, 'x-hook0-signature': `t=${seconds},h=x-event-id,v1=${v1}` };

  test.each([
    ['as text', body],
    ['as bytes', new TextEncoder().encode(body)],
    ['as a Buffer', Buffer.from(body)],
    ['as an ArrayBuffer', new TextEncoder().encode(body).buffer],
  ])('is verified with the body %s', async (_name, given) => {
    expect(await verifyWebhook({ headers: standardHeaders, body: given, secret })).toMatchObject({ eventId });
    expect(await verifyWebhook({ headers: hook0Headers, body: given, secret })).toMatchObject({ scheme: 'hook0', eventId });
  });

  test('is verified with either form of the secret, and the libraries agree', async () => {
    for (const given of [secret, whsec(secret), [other, secret], [whsec(other), whsec(secret)]]) {
      expect(await verifyWebhook({ headers: new Headers(standardHeaders), body, secret: given })).toMatchObject({ eventId });
      expect(await verifyWebhook({ headers: new Headers(hook0Headers), body, secret: given })).toMatchObject({ eventId });
    }
    expect(new Webhook(whsec(secret)).verify(body, standardHeaders)).toEqual({ größe: '日本' });
    const received = new Headers(hook0Headers);
    expect(verifyWebhookSignature(hook0Headers['x-hook0-signature'], Buffer.from(body), received, secret, 300)).toBe(true);
  });

  test('is refused by both with another secret', async () => {
    expect(await refusalOf(verifyWebhook({ headers: standardHeaders, body, secret: other }))).toMatchObject({
      problem: 'signature_mismatch',
    });
    expect(() => new Webhook(whsec(other)).verify(body, standardHeaders)).toThrow(/signature/i);
    expect(await refusalOf(verifyWebhook({ headers: hook0Headers, body, secret: other }))).toMatchObject({ problem: 'signature_mismatch' });
    const received = new Headers(hook0Headers);
    expect(() => verifyWebhookSignature(hook0Headers['x-hook0-signature'], Buffer.from(body), received, other, 300)).toThrow(/signature/i);
  });

  test('during a rotation the older secret is enough, by the scheme that carries it', async () => {
    // Hook0's header has a signature by the newest secret only.
    const both = `${signed} ${new Webhook(whsec(other)).sign(eventId, new Date(seconds * 1000), body)}`;
    const headers = { ...standardHeaders, ...hook0Headers, 'webhook-signature': both };
    expect(await verifyWebhook({ headers, body, secret })).toMatchObject({ scheme: 'hook0' });
    expect(await verifyWebhook({ headers, body, secret: other })).toMatchObject({ scheme: 'standard_webhooks', eventType: null });
  });
});

describe('refusals say what is wrong', () => {
  const hex = 'ab'.repeat(32);

  test.each<[string, Partial<Hook0WebhookToVerify>, string]>([
    ['another body', { body: 'hello ?' }, 'signature_mismatch'],
    ['another header', { headers: { ...hook0.headers, 'x-event-type': 'a.b.c' } }, 'signature_mismatch'],
    ['another secret', { secret: 'Secret' }, 'signature_mismatch'],
    ['no signature', { headers: {} }, 'signature_missing'],
    ['a signed header that is gone', { headers: { ...hook0.headers, 'x-event-id': undefined } }, 'signed_header_missing'],
    ['no time', { headers: { 'x-hook0-signature': `v1=${hex}` } }, 'signature_malformed'],
    ['a time that is no number', { headers: { 'x-hook0-signature': `t=1e9,v1=${hex}` } }, 'signature_malformed'],
    ['two signatures of one version', { headers: { 'x-hook0-signature': `t=1,v1=${hex},v1=${hex}` } }, 'signature_malformed'],
    ['no hexadecimal', { headers: { 'x-hook0-signature': 't=1636936200,v1=xyz' } }, 'signature_malformed'],
    ['a cut signature', { headers: { ...v0Only, 'x-hook0-signature': 't=1636936200,h=,v1=ab' } }, 'signature_mismatch'],
    ['no version', { headers: { 'x-hook0-signature': 't=1636936200' } }, 'version_not_accepted'],
    ['no secret', { secret: [] }, 'secret_invalid'],
    ['an empty secret', { secret: '' }, 'secret_invalid'],
    ['a secret that is not base64', { secret: 'whsec_%' }, 'secret_invalid'],
  ])("Hook0's: %s", async (_name, changes, wanted) => {
    expect(await refusalOf(verifyHook0Webhook({ ...hook0, ...changes }))).toMatchObject({ problem: wanted });
  });

  test.each<[string, object, string]>([
    ['another body', { body: '{}' }, 'signature_mismatch'],
    ['another id', { headers: { ...standard.headers, 'webhook-id': 'msg_2' } }, 'signature_mismatch'],
    ['another time', { headers: { ...standard.headers, 'webhook-timestamp': '1614265331' } }, 'signature_mismatch'],
    ['no id', { headers: { ...standard.headers, 'webhook-id': undefined } }, 'signature_missing'],
    ['no signature', { headers: { ...standard.headers, 'webhook-signature': '' } }, 'signature_missing'],
    ['a time that is no number', { headers: { ...standard.headers, 'webhook-timestamp': 'now' } }, 'signature_malformed'],
    ['another version', { headers: { ...standard.headers, 'webhook-signature': 'v1a,abcd' } }, 'version_not_accepted'],
    ['no base64', { headers: { ...standard.headers, 'webhook-signature': 'v1,%' } }, 'signature_malformed'],
  ])('Standard Webhooks: %s', async (_name, changes, wanted) => {
    expect(await refusalOf(verifyStandardWebhook({ ...standard, ...changes }))).toMatchObject({ problem: wanted });
  });

  test('a body that was parsed', async () => {
    const request: { body: Buffer } = JSON.parse('{"body":{"test":1}}');
    expect(await refusalOf(verifyWebhook({ ...hook0, body: request.body }))).toMatchObject({
      problem: 'body_invalid',
      message: 'Give the raw body, as text or bytes, and not what it was parsed into.',
    });
  });

  test('of a webhook with neither scheme', async () => {
    expect(await refusalOf(verifyWebhook({ ...hook0, headers: new Headers() }))).toMatchObject({
      message: 'Neither x-hook0-signature nor webhook-signature arrived.',
    });
  });

  describe.each([
    ["Hook0's", verifyHook0Webhook, hook0],
    ['Standard Webhooks', verifyStandardWebhook, standard],
  ])('%s at another time', (_name, verify, webhook) => {
    const verifyAfter = (ageSeconds: number, toleranceSeconds = 300) =>
      verify({ ...webhook, now: () => (webhook.now?.() ?? 0) + ageSeconds * 1000, toleranceSeconds });

    test.each([300, -300])('%i s later is accepted', async (ageSeconds) => {
      await expect(verifyAfter(ageSeconds)).resolves.toMatchObject({ signedAt: expect.any(Date) });
    });

    test.each([
      [301, 'too_old'],
      [-301, 'too_new'],
    ])('%i s later is %s, unless more is tolerated', async (ageSeconds, problem) => {
      expect(await refusalOf(verifyAfter(ageSeconds))).toMatchObject({ problem });
      await expect(verifyAfter(ageSeconds, 301)).resolves.toBeDefined();
    });
  });
});

test('headers may come in any case, and as lists', async () => {
  const headers = Object.fromEntries(Object.entries(hook0.headers).map(([name, value]: [string, string]) => [name.toUpperCase(), [value]]));
  expect(await verifyHook0Webhook({ ...hook0, headers })).toMatchObject({ eventId });
  const renamed = { ...headers, 'X-HOOK0-SIGNATURE': undefined, 'X-Signature': headers['X-HOOK0-SIGNATURE'] };
  expect(await verifyHook0Webhook({ ...hook0, headers: renamed, signatureHeader: 'X-Signature' })).toMatchObject({ eventId });
});
