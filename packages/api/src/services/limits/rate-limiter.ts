import type { RequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import { limitedAddress } from '@postrider/shared/domain/client-address';
import type { BucketLimit, TakenToken } from '@postrider/shared/domain/token-bucket';
import { createLocalBuckets } from './local-buckets.ts';
import { createSharedBuckets } from './shared-buckets.ts';

export type RateLimitLayer = 'global' | 'ip' | 'token';

/** What limits requests; null for a layer that is off. */
export interface RateLimits {
  readonly global: BucketLimit | null;
  readonly ip: BucketLimit | null;
  readonly token: BucketLimit | null;
  /** Whether the buckets of tokens are those of all instances. */
  readonly isShared: boolean;
}

/** What one layer says of a request. */
export interface Admission extends TakenToken {
  readonly layer: RateLimitLayer;
  readonly limit: BucketLimit;
}

export interface RateLimiter {
  /** What the layers say that need not know who asks; the one that refuses is the last. */
  admitAddress(address: string | null): readonly Admission[];
  /** What the layer of tokens says; null when it is off. */
  admitToken(tokenId: string): Promise<Admission | null>;
}

export interface RateLimiterOptions {
  readonly limits: RateLimits;
  readonly lease: (tokenId: string, wanted: number, limit: BucketLimit) => Promise<RequestTokens>;
  readonly onFallback: (error: unknown) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly now: () => number;
}

/** No layer at all. */
export const noRateLimits: RateLimits = { global: null, ip: null, token: null, isShared: false };

export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { limits, now } = options;
  const layerOf = (layer: RateLimitLayer, limit: BucketLimit | null) => limit && { layer, limit, buckets: createLocalBuckets(limit, now) };
  // One address that asks too much is refused before it empties the bucket of all.
  const layers = [layerOf('ip', limits.ip), layerOf('global', limits.global)].filter((layer) => layer !== null);
  const { token } = limits;
  const tokens = token && (limits.isShared ? createSharedBuckets({ ...options, limit: token }) : createLocalBuckets(token, now));
  return {
    admitAddress(address) {
      const admissions: Admission[] = [];
      for (const { layer, limit, buckets } of layers) {
        const taken = buckets.take(layer === 'ip' ? limitedAddress(address ?? '') : '');
        admissions.push({ ...taken, layer, limit });
        if (!taken.isTaken) {
          break;
        }
      }
      return admissions;
    },
    async admitToken(tokenId) {
      return token && tokens && { ...(await tokens.take(tokenId)), layer: 'token', limit: token };
    },
  };
}
