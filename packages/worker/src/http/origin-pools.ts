import type { Dispatcher } from 'undici';

/** The connections to one origin. */
export interface OriginPool {
  readonly origin: string;
  readonly pool: Dispatcher;
  /** Requests that were not settled yet. */
  inFlight: number;
  usedAtMs: number;
}

export interface OriginPools {
  /** The pool of an origin, made when there is none. */
  get(origin: string): OriginPool;
  size(): number;
  /** Closes all connections; what is in flight fails. */
  destroy(): Promise<void>;
}

/** Order of use is kept this exactly: a request to an origin that was used just now moves nothing. */
const orderWithinMs = 1000;

/**
 * One pool per origin, forgotten when it was not used for a while, so that the hosts of all customers that ever were do not fill the
 * memory. The agent of undici forgets an origin only when a connection closes with no request left, which a request that was broken off
 * prevents: every host that hung once would stay.
 */
export function createOriginPools(options: {
  readonly createPool: (origin: string) => Dispatcher;
  /** Origins kept at most; beyond, the one that was not used for longest goes. Those with requests in flight stay whatever their number. */
  readonly originsMax: number;
  /** Longer than an idle connection is kept. */
  readonly idleMs: number;
  readonly now: () => number;
}): OriginPools {
  // From the one that was not used for longest to the one that was used last.
  const pools = new Map<string, OriginPool>();

  function forgetIdle(nowMs: number): void {
    for (const [origin, entry] of pools) {
      if (pools.size < options.originsMax && nowMs - entry.usedAtMs < options.idleMs) {
        return;
      }
      if (entry.inFlight === 0) {
        pools.delete(origin);
        void destroyQuietly(entry.pool);
      }
    }
  }

  return {
    get(origin) {
      const nowMs = options.now();
      const known = pools.get(origin);
      if (known) {
        if (nowMs - known.usedAtMs > orderWithinMs) {
          known.usedAtMs = nowMs;
          pools.delete(origin);
          pools.set(origin, known);
        }
        return known;
      }
      forgetIdle(nowMs);
      const made = { origin, pool: options.createPool(origin), inFlight: 0, usedAtMs: nowMs };
      pools.set(origin, made);
      return made;
    },
    size: () => pools.size,
    async destroy() {
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.map(({ pool }) => destroyQuietly(pool)));
    },
  };
}

/** Nothing is in flight on it, or nobody waits for what is: how its connections end interests nobody. */
function destroyQuietly(pool: Dispatcher): Promise<void> {
  return pool.destroy().catch(() => {});
}
