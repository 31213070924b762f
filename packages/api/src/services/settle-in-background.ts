import type { Database } from '@postrider/shared/database/pool';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { settledBeforeAnswerMax } from '@postrider/shared/domain/limits';
import { settleSubscriptions } from './settle-subscription.ts';

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
  const wanted = new Set<string>();
  let isRunning = false;

  async function run(): Promise<void> {
    for (const subscriptionId of wanted) {
      wanted.delete(subscriptionId);
      // What fails here is left to the sweep, which says so if it fails too.
      const isDone = await settleSubscriptions(db, notifier, [subscriptionId], turn).catch(() => true);
      if (!isDone) {
        wanted.add(subscriptionId);
      }
    }
    isRunning = false;
  }

  return {
    settle(subscriptionId) {
      wanted.add(subscriptionId);
      if (!isRunning) {
        isRunning = true;
        // Handles its own failures.
        void run();
      }
    },
  };
}
