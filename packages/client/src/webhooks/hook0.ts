import { WebhookVerificationError } from './failure.ts';
import { bytesOfHex, isSigned } from './hmac.ts';
import { checkTime, headerOf, readSeconds, type VerifiedWebhook, type WebhookToVerify } from './webhook.ts';

export interface Hook0WebhookToVerify extends WebhookToVerify {
  /** As the operator set it; `X-Hook0-Signature` unless said otherwise. */
  readonly signatureHeader?: string;
  /**
   * Whether the older v0 is enough where there is no v1. It covers the body only: headers such as the event's id and type could be changed
   * on the way.
   */
  readonly acceptV0?: boolean;
}

/** Verifies Hook0's scheme. Its v1 covers the body and the headers that the signature names. */
export async function verifyHook0Webhook(webhook: Hook0WebhookToVerify): Promise<VerifiedWebhook> {
  const signatureHeader = (webhook.signatureHeader ?? 'X-Hook0-Signature').toLowerCase();
  const header = headerOf(webhook.headers, signatureHeader);
  if (header === null || header === '') {
    throw new WebhookVerificationError('signature_missing', `The header ${signatureHeader} is missing.`);
  }
  const signature = readSignature(header, signatureHeader);
  checkTime(signature.seconds, webhook);
  const signedAt = new Date(signature.seconds * 1000);
  if (signature.v1 !== null) {
    const values = new Map(signature.names.map((name) => [name, signedHeader(webhook, name)]));
    const prefix = `${signature.seconds}.${signature.names.join(' ')}.${[...values.values()].join('.')}.`;
    await check([signature.v1], prefix, webhook);
    return { scheme: 'hook0', signedAt, eventId: values.get('x-event-id') ?? null, eventType: values.get('x-event-type') ?? null };
  }
  if (webhook.acceptV0 !== true || signature.v0 === null) {
    const message = `${signatureHeader} has no signature of version v1${signature.v0 === null ? '' : '; acceptV0 accepts its v0'}.`;
    throw new WebhookVerificationError('version_not_accepted', message);
  }
  await check([signature.v0], `${signature.seconds}.`, webhook);
  return { scheme: 'hook0', signedAt, eventId: null, eventType: null };
}

interface Hook0Signature {
  readonly seconds: number;
  readonly names: readonly string[];
  readonly v1: Uint8Array<ArrayBuffer> | null;
  readonly v0: Uint8Array<ArrayBuffer> | null;
}

/** `t=<seconds>,h=<names>,v1=<hex>,v0=<hex>`, each at most once. */
function readSignature(header: string, name: string): Hook0Signature {
  const parts = new Map<string, string>();
  for (const part of header.split(',')) {
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    if (at < 1 || parts.has(key)) {
      throw malformed(name);
    }
    parts.set(key, part.slice(at + 1).trim());
  }
  const seconds = readSeconds(parts.get('t') ?? '');
  const read = (version: string): Uint8Array<ArrayBuffer> | null => {
    const hex = parts.get(version);
    const bytes = hex === undefined ? null : bytesOfHex(hex);
    if (hex !== undefined && bytes === null) {
      throw malformed(name);
    }
    return bytes;
  };
  if (seconds === null) {
    throw malformed(name);
  }
  const names = (parts.get('h') ?? '').split(' ').filter((part) => part !== '');
  return { seconds, names, v1: read('v1'), v0: read('v0') };
}

function malformed(name: string): WebhookVerificationError {
  return new WebhookVerificationError('signature_malformed', `${name} must be t=<seconds>,h=<names>,v1=<hex>.`);
}

function signedHeader({ headers }: WebhookToVerify, name: string): string {
  const value = headerOf(headers, name.toLowerCase());
  if (value === null) {
    const message = `The header ${name} is signed but did not arrive: something on the way removes it.`;
    throw new WebhookVerificationError('signed_header_missing', message);
  }
  return value.trim();
}

async function check(signatures: readonly Uint8Array<ArrayBuffer>[], prefix: string, webhook: WebhookToVerify): Promise<void> {
  if (!(await isSigned(signatures, prefix, webhook))) {
    const message = 'The signature does not fit: another secret, a changed header, or a body that is not exactly the bytes that arrived.';
    throw new WebhookVerificationError('signature_mismatch', message);
  }
}
