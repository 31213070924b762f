import type { SkippedAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import type { PassedOverSubscription } from '@postrider/shared/database/queries/load-passed-over-subscriptions';

export interface SkippedSubscriptionsOptions {
  readonly load: (subscriptionIds: readonly string[]) => Promise<PassedOverSubscription[]>;
  /** Attempts that were skipped may be claimed after all: they lie behind the point that claims start from. */
  readonly onReturned: () => void;
  readonly now: () => number;
}

/** What the next claim passes over. */
export interface Skip extends SkippedAttempts {
  /** The database's time when this was read, in microseconds since 1970; null when nothing is skipped. */
  readonly asOfMicros: number | null;
}

const freshMs = 1000;
/** Each row of a claim is compared with all of them. The attempts of more are looked at by each claim that comes to them. */
const subscriptionsMax = 100;
const nothing: Skip = { subscriptionIds: [], cancelledUntil: [], isPaused: [], asOfMicros: null };

/**
 * Subscriptions that were disabled, deleted or paused while many of their attempts waited: those are at the head of the queue until they are
 * worked off in the background, and looking at them again and again would hold up everybody else's.
 */
export function createSkippedSubscriptions(options: SkippedSubscriptionsOptions) {
  let entries = new Map<string, PassedOverSubscription>();
  let skip = nothing;
  let loadedAtMs = Number.NEGATIVE_INFINITY;
  let isExpired = false;

  function replace(passedOver: readonly PassedOverSubscription[]): void {
    entries = new Map(passedOver.map((entry) => [entry.subscriptionId, entry]));
    skip = {
      subscriptionIds: passedOver.map(({ subscriptionId }) => subscriptionId),
      cancelledUntil: passedOver.map(({ cancelledUntil }) => cancelledUntil),
      isPaused: passedOver.map(({ isPaused }) => isPaused),
      asOfMicros: passedOver.length === 0 ? null : Math.max(...passedOver.map(({ asOfMicros }) => asOfMicros)),
    };
  }

  return {
    /**
     * A claim has found attempts of these and left them alone; there may be many more. Returns how many were not known: those that are keep
     * what they were loaded with, so that the next load sees what has changed.
     */
    add(found: readonly PassedOverSubscription[]): number {
      const added = found.filter(({ subscriptionId }) => !entries.has(subscriptionId));
      if (added.length > 0) {
        loadedAtMs = entries.size === 0 ? options.now() : loadedAtMs;
        // The newest first: of the oldest, the attempts may be worked off by now.
        replace([...added, ...entries.values()].slice(0, subscriptionsMax));
      }
      return added.length;
    },
    /** At most a second old, and read anew when it was expired. */
    async current(): Promise<Skip> {
      if (entries.size > 0 && (isExpired || options.now() - loadedAtMs >= freshMs)) {
        loadedAtMs = options.now();
        isExpired = false;
        const before = [...entries.values()];
        replace(await options.load([...entries.keys()]));
        if (before.some((entry) => !skipsTheSame(entry, entries.get(entry.subscriptionId)))) {
          options.onReturned();
        }
      }
      return skip;
    },
    /** Attempts were put back into the queue, maybe of a subscription that was resumed. */
    expire(): void {
      isExpired = true;
    },
  };
}

function skipsTheSame(before: PassedOverSubscription, after: PassedOverSubscription | undefined): boolean {
  return after !== undefined && before.cancelledUntil === after.cancelledUntil && before.isPaused === after.isPaused;
}

export type SkippedSubscriptions = ReturnType<typeof createSkippedSubscriptions>;
