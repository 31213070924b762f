import type { Database } from '@postrider/shared/database/pool';
import { cancelOpenAttempts } from '@postrider/shared/database/queries/cancel-open-attempts';
import { moveOpenAttempts } from '@postrider/shared/database/queries/move-open-attempts';
import { retryTransient } from '@postrider/shared/database/retry-transient';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { massChangeRowsMax, settledBeforeAnswerMax } from '@postrider/shared/domain/limits';

/**
 * Makes the open attempts of subscriptions follow what was just changed: cancelled when the subscription was disabled or deleted, moved
 * when other workers serve it now, parked or released when it was paused or resumed. Small statements one after another, so that nobody waits
 * long behind their locks; what is over `attemptsMax` in all, and what workers hold, is left to the sweep and to those workers. Returns
 * whether it stopped at `attemptsMax`.
 */
export async function settleSubscriptions(
  db: Database,
  notifier: WakeUpNotifier,
  subscriptionIds: readonly string[],
  attemptsMax: number = settledBeforeAnswerMax,
): Promise<boolean> {
  let remaining = attemptsMax;
  for (const subscriptionId of subscriptionIds) {
    const cancelled = await repeat(remaining, (limit) => cancelOpenAttempts(db, subscriptionId, limit));
    let dueFromMicros = 0;
    const movedCount = await repeat(remaining - cancelled, async (limit) => {
      const moved = await moveOpenAttempts(db, subscriptionId, { limit, dueFromMicros });
      dueFromMicros = moved.dueUntilMicros ?? dueFromMicros;
      // Moved attempts keep their due time, which may lie behind the point that the workers of their new pool claim from.
      notifier.notify(moved.poolIds, { rewind: true });
      return moved.count;
    });
    remaining -= cancelled + movedCount;
  }
  return remaining <= 0;
}

/** Calls `change` with up to a thousand rows at a time until it finds no more or `rowsMax` are done; returns how many. */
async function repeat(rowsMax: number, change: (limit: number) => Promise<number>): Promise<number> {
  let done = 0;
  while (done < rowsMax) {
    const limit = Math.min(massChangeRowsMax, rowsMax - done);
    const changed = await retryTransient(() => change(limit));
    done += changed;
    if (changed < limit) {
      break;
    }
  }
  return done;
}
