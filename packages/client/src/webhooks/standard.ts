import { WebhookVerificationError } from './failure.ts';
import { bytesOfBase64, isSigned } from './hmac.ts';
import { checkTime, headerOf, readSeconds, type VerifiedWebhook, type WebhookToVerify } from './webhook.ts';

/** A rotation needs two: what a request makes us compute has a limit. */
const signaturesMax = 10;

/** Verifies the scheme of Standard Webhooks (https://www.standardwebhooks.com). It covers the event's id and the body. */
export async function verifyStandardWebhook(webhook: WebhookToVerify): Promise<VerifiedWebhook> {
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => {
    const value = headerOf(webhook.headers, name);
    if (value === null || value === '') {
      throw new WebhookVerificationError('signature_missing', `The header ${name} is missing.`);
    }
    return value;
  });
  const seconds = readSeconds(timestamp ?? '');
  if (seconds === null) {
    throw new WebhookVerificationError('signature_malformed', 'webhook-timestamp must be seconds since 1970.');
  }
  const signatures = readSignatures(signature ?? '');
  checkTime(seconds, webhook);
  if (!(await isSigned(signatures, `${id}.${timestamp}.`, webhook))) {
    const message = 'No signature fits the body: another secret, or a body that is not exactly the bytes that arrived.';
    throw new WebhookVerificationError('signature_mismatch', message);
  }
  return { scheme: 'standard_webhooks', signedAt: new Date(seconds * 1000), eventId: id ?? null, eventType: null };
}

function readSignatures(header: string): Uint8Array<ArrayBuffer>[] {
  const ofVersion1 = header.split(' ').filter((part) => part.startsWith('v1,'));
  if (ofVersion1.length === 0) {
    throw new WebhookVerificationError('version_not_accepted', 'webhook-signature has no signature of version v1.');
  }
  const read = ofVersion1.slice(0, signaturesMax).flatMap((part) => bytesOfBase64(part.slice('v1,'.length)) ?? []);
  if (read.length === 0) {
    throw new WebhookVerificationError('signature_malformed', 'webhook-signature must be v1,<base64>.');
  }
  return read;
}
