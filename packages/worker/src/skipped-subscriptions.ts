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
  const noted = new Set<string>();
  let skip = nothing;
  let loadedAtMs = Number.NEGATIVE_INFINITY;

  async function load(): Promise<void> {
    const ids = [...noted];
    loadedAtMs = options.now();
    const loaded = await options.load(ids);
    const before = skip;
    skip = {
      subscriptionIds: loaded.map(({ subscriptionId }) => subscriptionId),
      madeUntil: loaded.map(({ madeUntil }) => madeUntil),
      asOfMicros: loaded[0]?.asOfMicros ?? null,
    };
    const kept = new Set(skip.subscriptionIds);
    ids.filter((id) => !kept.has(id)).forEach((id) => noted.delete(id));
    if (before.subscriptionIds.some((id, index) => before.madeUntil[index] !== skip.madeUntil[skip.subscriptionIds.indexOf(id)])) {
      options.onReturned();
    }
  }

  return {
    /** An attempt of this subscription was claimed and had to be cancelled; there may be many more. */
    note(subscriptionId: string): void {
      if (!noted.has(subscriptionId) && noted.size < subscriptionsMax) {
        noted.add(subscriptionId);
        loadedAtMs = Number.NEGATIVE_INFINITY;
      }
    },
    /** At most a second old. */
    async current(): Promise<Skip> {
      if (noted.size > 0 && options.now() - loadedAtMs >= freshMs) {
        await load();
      }
      return skip;
    },
  };
}

export type SkippedSubscriptions = ReturnType<typeof createSkippedSubscriptions>;
