import { verifyWebhookSignature } from 'hook0-client';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { coverHeaders, signHook0, signStandard, signStandardWithKey, standardSecret } from './signature.ts';

const body = Buffer.from('hello !');
const headers = [
  ['x-event-type', 'service.resource.verb'],
  ['x-event-id', '1a01cb48-5142-4d9b-8f90-d20cca61f0ee'],
] as const;

test('v0 is the published vector', () => {
  const signature = signHook0({
    secret: 'secret',
    timestampSeconds: 1636936200,
    headers: coverHeaders([]),
    body,
    versions: { v0: true, v1: false },
  });
  expect(signature).toBe('t=1636936200,v0=1b3d69df55f1e52f05224ba94a5162abeb17ef52cd7f4948c390f810d6a87e98');
});

test('v1 is the published vector, whatever order the headers come in', () => {
  const signature = signHook0({
    secret: 'secret',
    timestampSeconds: 1636936200,
    headers: coverHeaders(headers),
    body,
    versions: { v0: false, v1: true },
  });
  expect(signature).toBe('t=1636936200,h=x-event-id x-event-type,v1=bc521546ba5de381b12f135782d2008b028c3065c191760b12b76850a8fc8f51');
});

test('Standard Webhooks is the published vector', () => {
  const signature = signStandardWithKey({
    key: Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestampSeconds: 1614265330,
    body: Buffer.from('{"test": 2432232314}'),
  });
  expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

test('during a rotation Standard Webhooks carries one signature per secret, the newest first', () => {
  const signature = signStandard({
    secrets: ['2a7a3c0e-6d0a-4f0e-8f39-4a2f5c8a3b11', '7b0f5a77-2f41-4e0c-9a55-0d8c8d2b6c22'],
    id: '1a01cb48-5142-4d9b-8f90-d20cca61f0ee',
    timestampSeconds: 1636936200,
    body: Buffer.from('{"a":1}'),
  });
  // Each as OpenSSL computes it: openssl dgst -sha256 -hmac <secret> -binary | base64.
  expect(signature).toBe('v1,AsYX0SOqC3gkgWXA0yP8EmxlZzpRZOIDcVU/OH6897Q= v1,NxEyeJgCZG31NHaVfS3mZBh8nZjgYhWXRrwbLxcJvuw=');
});

test("Hook0's client verifies v0 and v1 together", () => {
  const secret = '2a7a3c0e-6d0a-4f0e-8f39-4a2f5c8a3b11';
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const signature = signHook0({ secret, timestampSeconds, headers: coverHeaders(headers), body, versions: { v0: true, v1: true } });
  const received = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
  expect(verifyWebhookSignature(signature, body, received, secret, 300)).toBe(true);
});

test('the Standard Webhooks library verifies either secret of a rotation', () => {
  const [newSecret, oldSecret] = ['2a7a3c0e-6d0a-4f0e-8f39-4a2f5c8a3b11', '7b0f5a77-2f41-4e0c-9a55-0d8c8d2b6c22'];
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const id = '1a01cb48-5142-4d9b-8f90-d20cca61f0ee';
  const signature = signStandard({ secrets: [newSecret, oldSecret], id, timestampSeconds, body: Buffer.from('{"a":1}') });
  const received = { 'webhook-id': id, 'webhook-timestamp': String(timestampSeconds), 'webhook-signature': signature };
  for (const secret of [newSecret, oldSecret]) {
    expect(new Webhook(standardSecret(secret)).verify('{"a":1}', received)).toEqual({ a: 1 });
  }
  expect(() => new Webhook(standardSecret('00000000-0000-4000-8000-000000000000')).verify('{"a":1}', received)).toThrow(/signature/i);
});
