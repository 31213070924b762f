import type { Rate, SubscriptionTraffic } from './subscription-traffic.ts';

/** So much of a rate may be sent at once: a claim for each request of a high rate would cost more than the requests. */
const burstMs = 100;
/** A request that starts late does not make the next one late, by up to this part of their distance. */
const lateRatio = 0.5;
/**
 * Who comes to a subscription does not know when the one before has sent to it last: it waits for as long as that one would have, but not for
 * hours, lest a rate of one in a day starve where processes change every day.
 */
const unknownMsMax = 60_000;

interface Bucket {
  /** When the next request may start; a time that has passed allows more than one. */
  nextAtMs: number;
}

/**
 * Spreads requests evenly over the period of a subscription's rate, as the generic cell rate algorithm does (ITU-T I.371): each moves the
 * time of the next one on by its share of the period, and what was not used is kept for a tenth of a second only.
 */
export function createRateKeeper(now: () => number) {
  const buckets = new Map<SubscriptionTraffic, Bucket>();

  function bucketOf(traffic: SubscriptionTraffic, rate: Rate): Bucket {
    const bucket = buckets.get(traffic) ?? { nextAtMs: now() + Math.min(intervalMs(rate), unknownMsMax) };
    buckets.set(traffic, bucket);
    const unusedMsMax = Math.max(burstMs - intervalMs(rate), Math.min(burstMs, intervalMs(rate) * lateRatio));
    bucket.nextAtMs = Math.max(bucket.nextAtMs, now() - unusedMsMax);
    return bucket;
  }

  return {
    /** Requests that may start now. */
    available(traffic: SubscriptionTraffic): number {
      if (traffic.rate === null) {
        return Number.POSITIVE_INFINITY;
      }
      const aheadMs = now() - bucketOf(traffic, traffic.rate).nextAtMs;
      return aheadMs < 0 ? 0 : Math.floor(aheadMs / intervalMs(traffic.rate)) + 1;
    },
    spend(traffic: SubscriptionTraffic, requests: number): void {
      if (traffic.rate !== null) {
        bucketOf(traffic, traffic.rate).nextAtMs += requests * intervalMs(traffic.rate);
      }
    },
    giveBack(traffic: SubscriptionTraffic, requests: number): void {
      if (traffic.rate !== null) {
        bucketOf(traffic, traffic.rate).nextAtMs -= requests * intervalMs(traffic.rate);
      }
    },
    /** Milliseconds until the next request may start; 0 when one may. */
    readyInMs(traffic: SubscriptionTraffic): number {
      return traffic.rate === null ? 0 : Math.max(0, bucketOf(traffic, traffic.rate).nextAtMs - now());
    },
    /** Forgets the others. */
    keepOnly(traffics: ReadonlySet<SubscriptionTraffic>): void {
      for (const known of buckets.keys()) {
        if (!traffics.has(known)) {
          buckets.delete(known);
        }
      }
    },
  };
}

function intervalMs({ requests, periodMs }: Rate): number {
  return periodMs / requests;
}
