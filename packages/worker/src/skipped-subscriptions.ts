import type { SkippedAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import type { CancelledSubscription } from '@postrider/shared/database/queries/load-cancelled-subscriptions';

export interface SkippedSubscriptionsOptions {
  readonly load: (subscriptionIds: readonly string[]) => Promise<CancelledSubscription[]>;
  /** Attempts that were skipped may be claimed after all: they lie behind the point that claims start from. */
  readonly onReturned: () => void;
  readonly now: () => number;
}

/** What the next claim leaves alone. */
export interface Skip extends SkippedAttempts {
  /** The database's time when this was read, in microseconds since 1970; null when nothing is skipped. */
  readonly asOfMicros: number | null;
}

const freshMs = 1000;
/** Each row of a claim is compared with all of them. Beyond, attempts are claimed and cancelled one by one. */
const subscriptionsMax = 100;
const nothing: Skip = { subscriptionIds: [], madeUntil: [], asOfMicros: null };

/**
 * Subscriptions that were disabled or deleted while many of their attempts waited: those are at the head of the queue until they are worked
 * off in the background, and claiming them only to cancel each would hold up everybody else's.
 */
export function createSkippedSubscriptions(options: SkippedSubscriptionsOptions) {
  let entries = new Map<string, CancelledSubscription>();
  let skip = nothing;
  let loadedAtMs = Number.NEGATIVE_INFINITY;

  function replace(cancelled: Iterable<CancelledSubscription>): void {
    entries = new Map([...cancelled].map((entry) => [entry.subscriptionId, entry]));
    skip = {
      subscriptionIds: [...entries.keys()],
      madeUntil: [...entries.values()].map(({ madeUntil }) => madeUntil),
      asOfMicros: entries.size === 0 ? null : Math.max(...[...entries.values()].map(({ asOfMicros }) => asOfMicros)),
    };
  }

  return {
    /** A claim has found attempts of these and left them alone; there may be many more. */
    add(cancelled: readonly CancelledSubscription[]): void {
      if (cancelled.length > 0) {
        loadedAtMs = entries.size === 0 ? options.now() : loadedAtMs;
        replace([...entries.values(), ...cancelled].slice(0, subscriptionsMax));
      }
    },
    /** At most a second old. */
    async current(): Promise<Skip> {
      if (entries.size > 0 && options.now() - loadedAtMs >= freshMs) {
        loadedAtMs = options.now();
        const before = entries;
        replace(await options.load([...before.keys()]));
        if ([...before.values()].some(({ subscriptionId, madeUntil }) => entries.get(subscriptionId)?.madeUntil !== madeUntil)) {
          options.onReturned();
        }
      }
      return skip;
    },
  };
}

export type SkippedSubscriptions = ReturnType<typeof createSkippedSubscriptions>;
