import type { RequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import { createLocalBuckets } from '../services/limits/local-buckets.ts';
import type { RateLimitLayer, RateLimits } from '../services/limits/rate-limiter.ts';

/** The buckets that the processes of one instance share: the limits of an instance are the same however many processes it has. */
export type InstanceBuckets = (layer: RateLimitLayer, key: string, wanted: number) => RequestTokens | null;

/** Null for a layer that is off. */
export function createInstanceBuckets(limits: RateLimits, now: () => number): InstanceBuckets {
  const bucketsOf = (layer: RateLimitLayer) => (limits[layer] === null ? null : createLocalBuckets(limits[layer], now));
  const layers = { global: bucketsOf('global'), ip: bucketsOf('ip'), token: bucketsOf('token') };
  return (layer, key, wanted) => layers[layer]?.lease(key, wanted) ?? null;
}
