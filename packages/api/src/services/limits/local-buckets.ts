import type { RequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import { type BucketLimit, takeToken, takeTokens, type TakenToken } from '@postrider/shared/domain/token-bucket';

export interface LocalBuckets {
  take(key: string): TakenToken;
  /** Up to so many at a time, for others to give out. */
  lease(key: string, wanted: number): RequestTokens;
}

/** Buckets that are remembered: some ten megabytes. */
const bucketsMax = 100_000;

/** A bucket of tokens for each key, in the memory of this process. */
export function createLocalBuckets(limit: BucketLimit, now: () => number): LocalBuckets {
  // By when they were last asked, so that the first one is the one to forget: most likely it is full again, which is what a new one is.
  const fullAtMs = new Map<string, number>();

  function remember<Taken extends { readonly fullAtMs: number }>(key: string, taken: Taken): Taken {
    fullAtMs.delete(key);
    fullAtMs.set(key, taken.fullAtMs);
    if (fullAtMs.size > bucketsMax) {
      for (const oldest of fullAtMs.keys()) {
        fullAtMs.delete(oldest);
        break;
      }
    }
    return taken;
  }

  const fullAt = (key: string): number => fullAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
  return {
    take: (key) => remember(key, takeToken(limit, fullAt(key), now())),
    lease(key, wanted) {
      const { granted, remaining, fullInMs, nextInMs } = remember(key, takeTokens(limit, fullAt(key), { nowMs: now(), wanted }));
      return { granted, remaining, full_in_ms: fullInMs, next_in_ms: nextInMs };
    },
  };
}
