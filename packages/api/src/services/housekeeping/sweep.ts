import { listUnsettledSubscriptions } from '@postrider/shared/database/queries/list-unsettled-subscriptions';
import { markSubscriptionSettled } from '@postrider/shared/database/queries/mark-subscription-settled';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { beginSettling, continueSettling, type Settling } from '../settle-subscription.ts';

/** An ingest or a record that did not see a change has committed by then, or was broken off by the statement timeout. */
const settleAfterMs = 120_000;
/** Those that were paused keep their attempts and stay on the list until they can settle: newer ones come behind them. */
const subscriptionsPerSweepMax = 1000;
/** One with more takes turns with the others. */
const attemptsPerTurnMax = 20_000;
/** A process that stops waits for a sweep to end. */
const sweepMsMax = 5000;

/** What the sweep before this one did not get to the end of, by subscription. */
export type UnfinishedSweep = Map<string, { readonly unsettledSince: string; readonly settling: Settling }>;

/**
 * Puts open attempts where their subscriptions say they belong, or cancels them: an ingest or a retry that commits after its subscription
 * changed strands nothing. Any number of instances may sweep at once, since rows that another one works on are skipped. Returns whether
 * there is more to do now.
 */
export async function sweepStrandedAttempts(
  db: AllTenantsDatabase,
  notifier: WakeUpNotifier,
  unfinished: UnfinishedSweep = new Map(),
): Promise<boolean> {
  const endsAt = performance.now() + sweepMsMax;
  const before = new Map(unfinished);
  unfinished.clear();
  for (const subscription of await listUnsettledSubscriptions(db, settleAfterMs, subscriptionsPerSweepMax)) {
    const { subscription_id: subscriptionId, unsettled_since: unsettledSince } = subscription;
    const known = before.get(subscriptionId);
    const settling = known?.unsettledSince === unsettledSince ? known.settling : beginSettling(subscriptionId);
    const limits = { attemptsMax: attemptsPerTurnMax, durationMsMax: endsAt - performance.now() };
    const isDone = await continueSettling(db, notifier, settling, limits);
    if (!isDone) {
      unfinished.set(subscriptionId, { unsettledSince, settling });
    } else if (subscription.can_settle) {
      await markSubscriptionSettled(db, subscriptionId, unsettledSince);
    }
  }
  return unfinished.size > 0;
}
