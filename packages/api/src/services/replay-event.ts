import type { DatabasePool } from '@postrider/shared/database/pool';
import { insertReplayAttempts } from '@postrider/shared/database/queries/insert-replay-attempts';
import { retryTransient } from '@postrider/shared/database/retry-transient';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { Audit } from './audit.ts';

export interface Replay {
  readonly applicationId: string;
  readonly eventId: string;
  /** Only for this subscription; null for all that match. */
  readonly subscriptionId: string | null;
}

export type ReplayResult = { readonly kind: 'replayed'; readonly attempts: number } | { readonly kind: 'not_found' };

/** Makes new first attempts of a stored event for the subscriptions that match it now, and wakes their workers. */
export async function replayEvent(db: DatabasePool, notifier: WakeUpNotifier, audit: Audit, replay: Replay): Promise<ReplayResult> {
  const row = await retryTransient(() =>
    db.transaction(async (transaction) => {
      const inserted = await insertReplayAttempts(transaction, replay);
      if (inserted?.event_exists) {
        const { applicationId, eventId, subscriptionId } = replay;
        const after = { attempts: inserted.attempts, subscription_id: subscriptionId };
        await audit(transaction, { owner: { applicationId }, target: { kind: 'event', id: eventId }, before: null, after });
      }
      return inserted;
    }),
  );
  if (!row?.event_exists) {
    return { kind: 'not_found' };
  }
  notifier.notify(row.pool_ids ?? []);
  return { kind: 'replayed', attempts: row.attempts };
}
