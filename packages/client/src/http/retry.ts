import { PostriderError, PostriderTransportError } from '../errors.ts';

/** How often and how long a request is tried. */
export interface RetryPolicy {
  /** The first try included. */
  readonly attemptsMax: number;
  /** The longest wait before the second try; it doubles from try to try. */
  readonly delayMs: number;
  readonly delayMaxMs: number;
  /** For all tries and the waits between them. */
  readonly totalMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { attemptsMax: 5, delayMs: 250, delayMaxMs: 10_000, totalMs: 60_000 };

export interface FailedTry {
  readonly error: unknown;
  /** How many tries there were, this one included. */
  readonly attempts: number;
  readonly elapsedMs: number;
  /** Whether sending it again does no harm when it was done the first time. */
  readonly isRepeatable: boolean;
}

/** How long to wait before the next try; null when there is none. */
export function decideRetry(failed: FailedTry, policy: RetryPolicy, random: () => number): number | null {
  if (failed.attempts >= policy.attemptsMax || !isWorthRetrying(failed)) {
    return null;
  }
  const backoffMs = Math.min(policy.delayMs * 2 ** (failed.attempts - 1), policy.delayMaxMs);
  const askedMs = failed.error instanceof PostriderError ? (failed.error.retryAfterMs ?? 0) : 0;
  // Half of it is chance, so that clients that failed together do not come back together. What the API asks for is a least.
  const delayMs = askedMs + backoffMs * (0.5 + random() / 2);
  // Waiting into the end of the time would end in a failure that says less than this one.
  return failed.elapsedMs + delayMs < policy.totalMs ? delayMs : null;
}

function isWorthRetrying({ error, isRepeatable }: FailedTry): boolean {
  if (error instanceof PostriderTransportError) {
    return isRepeatable || !error.wasSent;
  }
  if (!(error instanceof PostriderError)) {
    return false;
  }
  // Other ids of 429 are quotas: trying again does not lift them. Without an id it was a proxy that asks to slow down.
  const isRateLimited = error.status === 429 && (error.id === 'RateLimited' || error.id === null);
  return isRateLimited || (error.status >= 500 && isRepeatable);
}
