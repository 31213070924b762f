import type { DatabasePool } from '@postrider/shared/database/pool';
import { endHold } from '@postrider/shared/database/queries/end-hold';
import { lockSubscription } from '@postrider/shared/database/queries/lock-subscription';
import { pauseSubscription } from '@postrider/shared/database/queries/pause-subscription';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { Audit } from './audit.ts';
import type { BackgroundSettler } from './settle-in-background.ts';

export interface PauseChange {
  readonly applicationId: string;
  readonly subscriptionId: string;
  readonly isPaused: boolean;
}

export type PauseResult = { readonly kind: 'changed'; readonly pausedAt: Date | null } | { readonly kind: 'not_found' };

/**
 * Pauses or resumes: the flag counts from now on, whatever waits; the rows follow in the background. A resume ends a hold, too: who asks for it
 * knows better than the failures that led to it.
 */
export async function changePause(
  db: DatabasePool,
  audit: Audit,
  { settler, notifier }: { readonly settler: BackgroundSettler; readonly notifier: WakeUpNotifier },
  change: PauseChange,
): Promise<PauseResult> {
  const { applicationId, subscriptionId } = change;
  const changed = await db.transaction(async (transaction) => {
    const before = await lockSubscription(transaction, subscriptionId);
    const after = before && (await pauseSubscription(transaction, change));
    const heldUntil = after && !change.isPaused ? await endHold(transaction, subscriptionId) : null;
    if (before && after) {
      await audit(transaction, {
        owner: { applicationId },
        target: { kind: 'subscription', id: subscriptionId },
        before: { paused: before.paused_at !== null, hold_until: heldUntil },
        after: { paused: after.pausedAt !== null, hold_until: null },
      });
    }
    return after;
  });
  if (!changed) {
    return { kind: 'not_found' };
  }
  if (!change.isPaused) {
    // What is not parked yet is in its place already, and workers pass over it until they hear of the resume.
    notifier.notify([changed.poolId], { rewind: true });
  }
  settler.settle(subscriptionId);
  return { kind: 'changed', pausedAt: changed.pausedAt };
}
