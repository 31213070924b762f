import type { Database } from '@postrider/shared/database/pool';
import { cancelOpenAttempts } from '@postrider/shared/database/queries/cancel-open-attempts';
import { moveOpenAttempts } from '@postrider/shared/database/queries/move-open-attempts';
import { retryTransient } from '@postrider/shared/database/retry-transient';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { massChangeRowsMax, settledBeforeAnswerMax, settlingBeforeAnswerMsMax } from '@postrider/shared/domain/limits';

/** How much of a mass change is done at once; what is over is left to the sweep. */
export interface SettleLimits {
  readonly attemptsMax: number;
  readonly durationMsMax: number;
}

const beforeAnswer: SettleLimits = { attemptsMax: settledBeforeAnswerMax, durationMsMax: settlingBeforeAnswerMsMax };

/** How far the open attempts of a subscription have been gone through: where the next turn goes on, rather than read again what is done. */
export interface Settling {
  readonly subscriptionId: string;
  isCancelled: boolean;
  cancelFrom: string | null;
  moveFromMicros: number;
}

export function beginSettling(subscriptionId: string): Settling {
  return { subscriptionId, isCancelled: false, cancelFrom: null, moveFromMicros: 0 };
}

/**
 * Makes the open attempts of subscriptions follow what was just changed: cancelled when the subscription was disabled or deleted, moved
 * when other workers serve it now, parked or released when it was paused or resumed. Small statements one after another, so that nobody waits
 * long behind their locks; what is over the limits, and what workers hold, is left to the sweep and to those workers. Returns whether the
 * limits were enough.
 */
export async function settleSubscriptions(
  db: Database,
  notifier: WakeUpNotifier,
  subscriptionIds: readonly string[],
  limits: SettleLimits = beforeAnswer,
): Promise<boolean> {
  const budget = budgetOf(limits);
  for (const subscriptionId of subscriptionIds) {
    if (!(await settle(db, notifier, beginSettling(subscriptionId), budget))) {
      return false;
    }
  }
  return true;
}

/** The same for one subscription, going on where the last turn ended. */
export function continueSettling(db: Database, notifier: WakeUpNotifier, settling: Settling, limits: SettleLimits): Promise<boolean> {
  return settle(db, notifier, settling, budgetOf(limits));
}

interface Budget {
  attempts: number;
  readonly endsAt: number;
}

function budgetOf({ attemptsMax, durationMsMax }: SettleLimits): Budget {
  return { attempts: attemptsMax, endsAt: performance.now() + durationMsMax };
}

async function settle(db: Database, notifier: WakeUpNotifier, settling: Settling, budget: Budget): Promise<boolean> {
  const { subscriptionId } = settling;
  if (!settling.isCancelled) {
    const isCancelled = await repeat(budget, async (limit) => {
      const { count, dueUntil } = await cancelOpenAttempts(db, { subscriptionId, dueFrom: settling.cancelFrom, limit });
      settling.cancelFrom = dueUntil;
      return count;
    });
    if (!isCancelled) {
      return false;
    }
    settling.isCancelled = true;
  }
  return repeat(budget, async (limit) => {
    const moved = await moveOpenAttempts(db, subscriptionId, { limit, dueFromMicros: settling.moveFromMicros });
    settling.moveFromMicros = moved.dueUntilMicros ?? settling.moveFromMicros;
    // Moved attempts keep their due time, which may lie behind the point that the workers of their new pool claim from.
    notifier.notify(moved.poolIds, { rewind: true });
    return moved.count;
  });
}

/** Calls `change` with up to a thousand rows at a time until it finds no more; false when the budget was used up before. */
async function repeat(budget: Budget, change: (limit: number) => Promise<number>): Promise<boolean> {
  while (budget.attempts > 0 && performance.now() < budget.endsAt) {
    const limit = Math.min(massChangeRowsMax, budget.attempts);
    const changed = await retryTransient(() => change(limit));
    budget.attempts -= changed;
    if (changed < limit) {
      return true;
    }
  }
  return false;
}
