import { WebhookVerificationError } from './failure.ts';

/** Headers as Fetch has them, or as Node's `request.headers` and most frameworks do. */
export type WebhookHeaders = { get(name: string): string | null } | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookToVerify {
  readonly headers: WebhookHeaders;
  /** Exactly the bytes that arrived: a body that was parsed and written again has another signature. */
  readonly body: string | Uint8Array | ArrayBuffer;
  /** The subscription's secret, as `secret` or as `standard_webhooks_secret`. Several while one of them is being rotated. */
  readonly secret: string | readonly string[];
  /** How far the time of the signature may be from ours, so that what was recorded cannot be sent again later. 300 unless said otherwise. */
  readonly toleranceSeconds?: number;
  /** The time of now, in milliseconds. */
  readonly now?: () => number;
}

/** What is known for sure of a webhook. */
export interface VerifiedWebhook {
  readonly scheme: 'hook0' | 'standard_webhooks';
  readonly signedAt: Date;
  /** The same on every delivery of the event: de-duplicate by it. Null when the signature does not cover it. */
  readonly eventId: string | null;
  /** Null when the signature does not cover it. */
  readonly eventType: string | null;
}

/** Reads a header; null when it did not arrive. Repeated ones are joined as HTTP says. */
export function headerOf(headers: WebhookHeaders, name: string): string | null {
  if (hasGet(headers)) {
    return headers.get(name);
  }
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name && value !== undefined) {
      return typeof value === 'string' ? value : value.join(', ');
    }
  }
  return null;
}

function hasGet(headers: WebhookHeaders): headers is { get(name: string): string | null } {
  return 'get' in headers && typeof headers.get === 'function';
}

/** Refuses a signature of another time than ours. */
export function checkTime(seconds: number, { toleranceSeconds = 300, now = Date.now }: WebhookToVerify): void {
  const ageSeconds = Math.floor(now() / 1000) - seconds;
  if (ageSeconds > toleranceSeconds) {
    const message = `The webhook was signed ${ageSeconds} s ago; at most ${toleranceSeconds} s are accepted. Is it a replay, or is the clock wrong?`;
    throw new WebhookVerificationError('too_old', message);
  }
  if (-ageSeconds > toleranceSeconds) {
    const message = `The webhook was signed ${-ageSeconds} s in the future; at most ${toleranceSeconds} s are accepted. Is the clock wrong?`;
    throw new WebhookVerificationError('too_new', message);
  }
}

/** Seconds since 1970; null when it is not a number of at most 15 digits, which a double holds exactly. */
export function readSeconds(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
