/** What came of asking the database for some of what a key may use. */
export interface Lease {
  readonly granted: number;
  /** What is granted is good for this long. */
  readonly validForMs: number;
  /** When less was granted than wanted: for this long nobody asks again. */
  readonly refusedForMs: number;
  /** And this long a client should wait. */
  readonly retryAfterMs: number;
}

export type Taken = { readonly isTaken: true; readonly left: number } | { readonly isTaken: false; readonly retryAfterMs: number };

export interface Leases<Limit> {
  /** Takes one of what a key may use: of what is leased already, else of a new lease. Rejects with what the lease fails with. */
  take(key: string, limit: Limit): Taken | Promise<Taken>;
  /** Gives back one that was taken and not used. */
  giveBack(key: string): void;
}

export interface LeasesOptions<Limit> {
  readonly lease: (key: string, wanted: number, limit: Limit) => Promise<Lease>;
  /** How many to ask for at least. What an instance holds and does not use is lost to the others. */
  readonly chunkOf: (limit: Limit) => number;
  readonly now: () => number;
}

interface Waiting {
  readonly resolve: (taken: Taken) => void;
  readonly reject: (error: unknown) => void;
}

interface Held<Limit> {
  limit: Limit;
  amount: number;
  validUntilMs: number;
  refusedUntilMs: number;
  retryAtMs: number;
  waiting: Waiting[];
  isLeasing: boolean;
}

/** Keys that are remembered before those go that hold nothing. */
const keysMax = 10_000;
/** Going through all of them for every new one would be what somebody with many addresses is after. */
const sweepEveryMs = 1000;

/** Counts in this process what is leased from the database in chunks, so that most requests cost no statement, and those that come together share one. */
export function createLeases<Limit>(options: LeasesOptions<Limit>): Leases<Limit> {
  const held = new Map<string, Held<Limit>>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  function holdingOf(key: string, limit: Limit): Held<Limit> {
    const known = held.get(key);
    if (known) {
      if (known.limit !== limit) {
        known.limit = limit;
        known.refusedUntilMs = 0;
      }
      return known;
    }
    if (held.size >= keysMax && options.now() - sweptAtMs >= sweepEveryMs) {
      dropIdle();
    }
    const fresh: Held<Limit> = { limit, amount: 0, validUntilMs: 0, refusedUntilMs: 0, retryAtMs: 0, waiting: [], isLeasing: false };
    held.set(key, fresh);
    return fresh;
  }

  function dropIdle(): void {
    const nowMs = options.now();
    sweptAtMs = nowMs;
    for (const [key, { isLeasing, validUntilMs, refusedUntilMs }] of held) {
      if (!isLeasing && validUntilMs <= nowMs && refusedUntilMs <= nowMs) {
        held.delete(key);
      }
    }
  }

  return {
    take(key, limit) {
      const holding = holdingOf(key, limit);
      const taken = takeHeld(holding, options.now());
      if (taken) {
        return taken;
      }
      return new Promise((resolve, reject) => {
        holding.waiting.push({ resolve, reject });
        if (!holding.isLeasing) {
          // Settles everybody who waits and never rejects.
          void leaseForWaiting(options, key, holding);
        }
      });
    },
    giveBack(key) {
      const holding = held.get(key);
      if (holding) {
        holding.amount += 1;
        holding.refusedUntilMs = 0;
      }
    },
  };
}

function takeHeld<Limit>(holding: Held<Limit>, nowMs: number): Taken | null {
  if (holding.amount > 0 && nowMs < holding.validUntilMs) {
    holding.amount -= 1;
    return { isTaken: true, left: holding.amount };
  }
  return nowMs < holding.refusedUntilMs ? { isTaken: false, retryAfterMs: holding.retryAtMs - nowMs } : null;
}

async function leaseForWaiting<Limit>(options: LeasesOptions<Limit>, key: string, holding: Held<Limit>): Promise<void> {
  holding.isLeasing = true;
  try {
    while (holding.waiting.length > 0) {
      const wanted = Math.max(options.chunkOf(holding.limit), holding.waiting.length);
      const lease = await options.lease(key, wanted, holding.limit);
      const nowMs = options.now();
      holding.amount = lease.granted + (nowMs < holding.validUntilMs ? holding.amount : 0);
      holding.validUntilMs = nowMs + lease.validForMs;
      if (lease.granted < wanted) {
        holding.refusedUntilMs = nowMs + lease.refusedForMs;
        holding.retryAtMs = nowMs + lease.retryAfterMs;
      }
      serve(holding, nowMs, lease.granted < wanted);
    }
  } catch (error) {
    holding.waiting.splice(0).forEach(({ reject }) => reject(error));
  } finally {
    holding.isLeasing = false;
  }
}

/** In the order in which they came. Where the lease was all that there is, who gets nothing is refused, else he waits for the next. */
function serve<Limit>(holding: Held<Limit>, nowMs: number, isAll: boolean): void {
  for (const { resolve } of holding.waiting.splice(0, isAll ? holding.waiting.length : holding.amount)) {
    const isTaken = holding.amount > 0;
    holding.amount -= isTaken ? 1 : 0;
    resolve(isTaken ? { isTaken, left: holding.amount } : { isTaken, retryAfterMs: holding.retryAtMs - nowMs });
  }
}
