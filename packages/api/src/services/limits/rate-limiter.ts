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

interface Buckets {
  take(key: string): TakenToken | Promise<TakenToken>;
}

/** What one layer says of a request. */
export interface Admission extends TakenToken {
  readonly layer: RateLimitLayer;
  readonly limit: BucketLimit;
}

export interface RateLimiter {
  /** What the layers say that need not know who asks; the one that refuses is the last. Null when they are off. */
  admitAddress(address: string | null): Promise<readonly Admission[]> | null;
  /** What the layer of tokens says; null when it is off. */
  admitToken(tokenId: string): Promise<Admission> | null;
}

export interface RateLimiterOptions {
  readonly limits: RateLimits;
  /** From the buckets that all instances share. */
  readonly lease: (tokenId: string, wanted: number, limit: BucketLimit) => Promise<RequestTokens>;
  /** From the buckets that the processes of this instance share; left out where there is only one. */
  readonly leaseOfInstance?: LeaseOfInstance;
  readonly onFallback: (error: unknown) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly now: () => number;
}

/** Takes up to so many tokens out of a bucket of this instance. */
export type LeaseOfInstance = (layer: RateLimitLayer, key: string, wanted: number) => Promise<RequestTokens>;

/** No layer at all. */
export const noRateLimits: RateLimits = { global: null, ip: null, token: null, isShared: false };

export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { limits, now } = options;
  const bucketsOf = (layer: RateLimitLayer, limit: BucketLimit): Buckets => {
    const { leaseOfInstance } = options;
    return leaseOfInstance
      ? createSharedBuckets({ ...options, limit, lease: (key, wanted) => leaseOfInstance(layer, key, wanted) })
      : createLocalBuckets(limit, now);
  };
  const layerOf = (layer: RateLimitLayer, limit: BucketLimit | null) => limit && { layer, limit, buckets: bucketsOf(layer, limit) };
  // One address that asks too much is refused before it empties the bucket of all.
  const layers = [layerOf('ip', limits.ip), layerOf('global', limits.global)].filter((layer) => layer !== null);
  const { token } = limits;
  const tokens = token && (limits.isShared ? createSharedBuckets({ ...options, limit: token }) : bucketsOf('token', token));

  async function admitByLayers(address: string | null): Promise<readonly Admission[]> {
    const admissions: Admission[] = [];
    for (const { layer, limit, buckets } of layers) {
      const taken = await buckets.take(layer === 'ip' ? limitedAddress(address ?? '') : '');
      admissions.push({ ...taken, layer, limit });
      if (!taken.isTaken) {
        break;
      }
    }
    return admissions;
  }

  return {
    admitAddress: (address) => (layers.length === 0 ? null : admitByLayers(address)),
    admitToken: (tokenId) => token && tokens && admitBy(token, tokens, tokenId),
  };
}

async function admitBy(limit: BucketLimit, buckets: Buckets, tokenId: string): Promise<Admission> {
  return { ...(await buckets.take(tokenId)), layer: 'token', limit };
}
