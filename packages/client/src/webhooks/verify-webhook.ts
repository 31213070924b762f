import { WebhookVerificationError } from './failure.ts';
import { type Hook0WebhookToVerify, verifyHook0Webhook } from './hook0.ts';
import { verifyStandardWebhook } from './standard.ts';
import { headerOf, type VerifiedWebhook } from './webhook.ts';

/**
 * Verifies a webhook by the schemes that it comes with: one that holds is enough. Hook0's is asked first, because it covers the event's type,
 * too; while a secret is being rotated only Standard Webhooks has a signature by the older one.
 */
export async function verifyWebhook(webhook: Hook0WebhookToVerify): Promise<VerifiedWebhook> {
  const signatureHeader = (webhook.signatureHeader ?? 'X-Hook0-Signature').toLowerCase();
  const isStandard = headerOf(webhook.headers, 'webhook-signature') !== null;
  if (headerOf(webhook.headers, signatureHeader) === null) {
    if (!isStandard) {
      throw new WebhookVerificationError('signature_missing', `Neither ${signatureHeader} nor webhook-signature arrived.`);
    }
    return verifyStandardWebhook(webhook);
  }
  try {
    return await verifyHook0Webhook(webhook);
  } catch (error) {
    if (!isStandard) {
      throw error;
    }
    return await verifyStandardWebhook(webhook).catch(() => {
      throw error;
    });
  }
}
