import type { RequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import type { BucketLimit, TakenToken } from '@postrider/shared/domain/token-bucket';
import { createLeases } from './leases.ts';
import { createLocalBuckets } from './local-buckets.ts';

export interface SharedBucketsOptions {
  readonly limit: BucketLimit;
  /** Takes tokens out of the bucket that all instances share. */
  readonly lease: (key: string, wanted: number, limit: BucketLimit) => Promise<RequestTokens>;
  /** Says that no answer came, so that the limits are this instance's own for a while. */
  readonly onFallback: (error: unknown) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly now: () => number;
}

export interface SharedBuckets {
  take(key: string): Promise<TakenToken>;
}

/** Of the burst: with three instances, what they hold unused is a tenth of it. Small limits are leased one by one. */
const chunksOfBurst = 30;
/** A request waits no longer for a lease than this, only to be let in. */
const leaseTimeoutMs = 500;
/** Buckets of which it is remembered how they stood. */
const standingMax = 10_000;
/** After a failure nobody is asked for this long. */
const fallbackMs = 5000;

/**
 * Buckets that hold across processes: tokens are leased in chunks from the database, or from the supervisor of the processes of one instance. None
 * are given twice; a chunk that is not used while its bucket could fill again is lost. Where no answer comes each process limits by itself.
 */
export function createSharedBuckets(options: SharedBucketsOptions): SharedBuckets {
  const { limit, now } = options;
  const local = createLocalBuckets(limit, now);
  const standing = new Map<string, RequestTokens>();
  let localUntilMs = 0;

  const leases = createLeases({
    async lease(key: string, wanted: number) {
      const tokens = await inTime(options.lease(key, wanted, limit), options.wait);
      if (standing.size >= standingMax) {
        standing.clear();
      }
      standing.set(key, tokens);
      return {
        granted: tokens.granted,
        validForMs: limit.burst * limit.periodMs,
        refusedForMs: tokens.next_in_ms,
        retryAfterMs: tokens.next_in_ms,
      };
    },
    chunkOf: ({ burst }: BucketLimit) => Math.max(1, Math.floor(burst / chunksOfBurst)),
    now,
  });

  return {
    async take(key) {
      if (now() < localUntilMs) {
        return local.take(key);
      }
      try {
        const taken = await leases.take(key, limit);
        const { remaining, full_in_ms: fullInMs } = standing.get(key) ?? { remaining: 0, full_in_ms: 0 };
        return taken.isTaken
          ? { isTaken: true, remaining: remaining + taken.left, fullInMs, nextInMs: 0 }
          : { isTaken: false, remaining: 0, fullInMs, nextInMs: taken.retryAfterMs };
      } catch (error) {
        if (now() >= localUntilMs) {
          localUntilMs = now() + fallbackMs;
          options.onFallback(error);
        }
        return local.take(key);
      }
    },
  };
}

async function inTime<T>(work: Promise<T>, wait: (delayMs: number) => Promise<void>): Promise<T> {
  const timeout = wait(leaseTimeoutMs).then(() => {
    throw new Error(`No tokens were leased within ${leaseTimeoutMs} ms.`);
  });
  return Promise.race([work, timeout]);
}
