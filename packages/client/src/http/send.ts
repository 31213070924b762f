import { PostriderError, PostriderTransportError } from '../errors.ts';
import { type Connection, sendOnce, type WireAnswer, type WireRequest } from './request.ts';
import { decideRetry, type RetryPolicy } from './retry.ts';

/** Time and chance, which tests bring themselves. */
export interface Clock {
  /** In milliseconds, from any beginning. */
  now(): number;
  /** Rejects with the reason of `signal` when that comes first. */
  wait(ms: number, signal: AbortSignal | null): Promise<void>;
  /** From 0 to 1. */
  random(): number;
}

export interface SendOptions {
  /** For one try, the answer's body included. */
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal | null;
}

export interface Sent extends WireAnswer {
  /** How often it was tried. */
  readonly attempts: number;
}

/** Sends a request, and again where that helps. */
export type Send = (request: WireRequest, options: SendOptions) => Promise<Sent>;

export function createSend(connection: Connection, clock: Clock): Send {
  return async (request, { timeoutMs, retry, signal }) => {
    const startedAt = clock.now();
    for (let attempts = 1; ; attempts++) {
      signal?.throwIfAborted();
      try {
        const leftMs = retry.totalMs - (clock.now() - startedAt);
        const answer = await sendOnce(connection, request, { timeoutMs: Math.max(1, Math.min(timeoutMs, leftMs)), signal });
        return { ...answer, attempts };
      } catch (error) {
        const elapsedMs = clock.now() - startedAt;
        const delayMs = decideRetry({ error, attempts, elapsedMs, isRepeatable: request.isRepeatable }, retry, clock.random);
        if (delayMs === null) {
          throw error instanceof PostriderError || error instanceof PostriderTransportError ? error.after(attempts) : error;
        }
        await clock.wait(delayMs, signal);
      }
    }
  };
}

export const systemClock: Clock = {
  now: () => performance.now(),
  random: Math.random,
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};
