import { listUnsettledSubscriptions } from '@postrider/shared/database/queries/list-unsettled-subscriptions';
import { markSubscriptionSettled } from '@postrider/shared/database/queries/mark-subscription-settled';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { settleSubscriptions } from '../settle-subscription.ts';

/** An ingest or a record that did not see a change has committed by then, or was broken off by the statement timeout. */
const settleAfterMs = 120_000;
const subscriptionsPerSweepMax = 100;
const attemptsPerSubscriptionMax = 20_000;

/**
 * Puts open attempts where their subscriptions say they belong, or cancels them: an ingest or a retry that commits after its subscription
 * changed strands nothing. Any number of instances may sweep at once, since rows that another one works on are skipped.
 */
export async function sweepStrandedAttempts(db: AllTenantsDatabase, notifier: WakeUpNotifier): Promise<void> {
  for (const subscription of await listUnsettledSubscriptions(db, settleAfterMs, subscriptionsPerSweepMax)) {
    await settleSubscriptions(db, notifier, [subscription.subscription_id], attemptsPerSubscriptionMax);
    if (subscription.can_settle) {
      await markSubscriptionSettled(db, subscription.subscription_id, subscription.unsettled_since);
    }
  }
}
