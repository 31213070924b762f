import { WebhookVerificationError } from './failure.ts';
import type { WebhookToVerify } from './webhook.ts';

/** More than any rotation needs: what a request makes us compute has a limit. */
const secretsMax = 10;

const encoder = new TextEncoder();

/**
 * Whether one of the signatures is the HMAC-SHA256 of `prefix` and the body by one of the secrets. The comparison is that of WebCrypto, which
 * takes the same time whichever byte differs.
 */
export async function isSigned(
  signatures: readonly Uint8Array<ArrayBuffer>[],
  prefix: string,
  { secret, body }: Pick<WebhookToVerify, 'secret' | 'body'>,
): Promise<boolean> {
  const content = concat(encoder.encode(prefix), bytesOfBody(body));
  for (const keyBytes of keysOf(secret)) {
    const key = await crypto.subtle.importKey('raw', keyBytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, content)) {
        return true;
      }
    }
  }
  return false;
}

/** Both schemes sign with the same bytes: a secret's text, of which the form with `whsec_` is the base64. */
function keysOf(secret: string | readonly string[]): Uint8Array<ArrayBuffer>[] {
  const secrets = typeof secret === 'string' ? [secret] : secret;
  if (secrets.length === 0 || secrets.length > secretsMax) {
    throw new WebhookVerificationError('secret_invalid', `Give 1 to ${secretsMax} secrets.`);
  }
  return secrets.map((text) => {
    const key = text.startsWith('whsec_') ? bytesOfBase64(text.slice('whsec_'.length)) : encoder.encode(text);
    if (key === null || key.length === 0) {
      throw new WebhookVerificationError('secret_invalid', 'A secret is empty, or is not base64 after whsec_.');
    }
    return key;
  });
}

function bytesOfBody(body: unknown): Uint8Array {
  if (typeof body === 'string') {
    return encoder.encode(body);
  }
  if (body instanceof Uint8Array) {
    return body;
  }
  if (body instanceof ArrayBuffer) {
    return new Uint8Array(body);
  }
  throw new WebhookVerificationError('body_invalid', 'Give the raw body, as text or bytes, and not what it was parsed into.');
}

/** Null when it is not base64. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Null when it is not hexadecimal. */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> | null {
  return /^(?:[0-9a-f]{2})+$/i.test(text) ? Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) : null;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
