import { type BucketLimit, takeToken, type TakenToken } from '@postrider/shared/domain/token-bucket';

export interface LocalBuckets {
  take(key: string): TakenToken;
}

/** Buckets that are remembered: some ten megabytes. */
const bucketsMax = 100_000;

/** A bucket of tokens for each key, in the memory of this process. */
export function createLocalBuckets(limit: BucketLimit, now: () => number): LocalBuckets {
  // By when they were last asked, so that the first one is the one to forget: most likely it is full again, which is what a new one is.
  const fullAtMs = new Map<string, number>();
  return {
    take(key) {
      const taken = takeToken(limit, fullAtMs.get(key) ?? Number.NEGATIVE_INFINITY, now());
      fullAtMs.delete(key);
      fullAtMs.set(key, taken.fullAtMs);
      if (fullAtMs.size > bucketsMax) {
        for (const oldest of fullAtMs.keys()) {
          fullAtMs.delete(oldest);
          break;
        }
      }
      return taken;
    },
  };
}
