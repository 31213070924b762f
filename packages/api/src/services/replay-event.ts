import type { Database } from '@postrider/shared/database/pool';
import { insertReplayAttempts } from '@postrider/shared/database/queries/insert-replay-attempts';
import { retryTransient } from '@postrider/shared/database/retry-transient';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';

export interface Replay {
  readonly applicationId: string;
  readonly eventId: string;
  /** Only for this subscription; null for all that match. */
  readonly subscriptionId: string | null;
}

export type ReplayResult = { readonly kind: 'replayed'; readonly attempts: number } | { readonly kind: 'not_found' };

/** Makes new first attempts of a stored event for the subscriptions that match it now, and wakes their workers. */
export async function replayEvent(db: Database, notifier: WakeUpNotifier, replay: Replay): Promise<ReplayResult> {
  const row = await retryTransient(() => insertReplayAttempts(db, replay));
  if (!row?.event_exists) {
    return { kind: 'not_found' };
  }
  notifier.notify(row.pool_ids ?? []);
  return { kind: 'replayed', attempts: row.attempts };
}
