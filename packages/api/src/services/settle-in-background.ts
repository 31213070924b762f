import type { Database } from '@postrider/shared/database/pool';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { settledBeforeAnswerMax } from '@postrider/shared/domain/limits';
import { beginSettling, continueSettling, type Settling } from './settle-subscription.ts';

/** After this much it is the next subscription's turn. */
const turn = { attemptsMax: settledBeforeAnswerMax, durationMsMax: 1000 };

export interface BackgroundSettler {
  /** Makes the open attempts of a subscription follow its last change, soon. */
  settle(subscriptionId: string): void;
}

/**
 * Settles subscriptions after their call was answered, one statement at a time for the whole process. They take turns, so that one with a
 * large backlog does not keep the others waiting; one that changes again meanwhile is simply gone over once more.
 */
export function createBackgroundSettler(db: Database, notifier: WakeUpNotifier): BackgroundSettler {
  const wanted = new Map<string, Settling>();
  let isRunning = false;

  async function run(): Promise<void> {
    for (const [subscriptionId, settling] of wanted) {
      wanted.delete(subscriptionId);
      // What fails here is left to the sweep, which says so if it fails too.
      const isDone = await continueSettling(db, notifier, settling, turn).catch(() => true);
      // One that was changed meanwhile begins anew.
      if (!isDone && !wanted.has(subscriptionId)) {
        wanted.set(subscriptionId, settling);
      }
    }
    isRunning = false;
  }

  return {
    settle(subscriptionId) {
      wanted.set(subscriptionId, beginSettling(subscriptionId));
      if (!isRunning) {
        isRunning = true;
        // Handles its own failures.
        void run();
      }
    },
  };
}
