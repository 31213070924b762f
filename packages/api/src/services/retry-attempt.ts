import type { Database, DatabasePool } from '@postrider/shared/database/pool';
import { findAttemptToRetry } from '@postrider/shared/database/queries/find-attempt-to-retry';
import { type Delivery, hastenOpenAttempt } from '@postrider/shared/database/queries/hasten-open-attempt';
import { insertRetryAttempt } from '@postrider/shared/database/queries/insert-retry-attempt';
import { lockDelivery } from '@postrider/shared/database/queries/lock-delivery';
import { retryTransient } from '@postrider/shared/database/retry-transient';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { Audit } from './audit.ts';

export type RetryResult =
  | {
      readonly kind: 'retried';
      readonly requestAttemptId: string;
      readonly eventId: string;
      readonly subscriptionId: string;
      /** A new attempt, one that was waiting, or one that a worker is trying already. */
      readonly how: 'created' | 'hastened' | 'in_progress';
    }
  | { readonly kind: 'not_found' | 'event_gone' | 'subscription_deleted' | 'subscription_disabled' };

/** How often an attempt may be recorded just between looking for it and taking its place. */
const triesMax = 5;

/**
 * One more try, now, of what an attempt delivers. What is open for the same event and subscription is tried instead of adding to it, and
 * calls for one delivery go one after the other, so that two clicks do not make two attempts.
 */
export async function retryAttempt(
  db: DatabasePool,
  notifier: WakeUpNotifier,
  audit: Audit,
  attempt: { readonly applicationId: string; readonly requestAttemptId: string },
): Promise<RetryResult> {
  const { applicationId, requestAttemptId } = attempt;
  const found = await findAttemptToRetry(db, applicationId, requestAttemptId);
  if (!found) {
    return { kind: 'not_found' };
  }
  if (found.is_deleted) {
    return { kind: 'subscription_deleted' };
  }
  if (found.is_disabled) {
    return { kind: 'subscription_disabled' };
  }
  const delivery = { applicationId, eventId: found.event_id, subscriptionId: found.subscription_id };
  const retried = await retryTransient(() =>
    db.transaction(async (transaction) => {
      await lockDelivery(transaction, delivery.eventId, delivery.subscriptionId);
      const done = await hastenOrInsert(transaction, delivery, requestAttemptId);
      if (done) {
        const target = { kind: 'request_attempt', id: requestAttemptId };
        const after = { request_attempt_id: done.requestAttemptId, outcome: done.how };
        await audit(transaction, { owner: { applicationId }, target, before: null, after });
      }
      return done;
    }),
  );
  if (!retried) {
    return { kind: 'event_gone' };
  }
  notifier.notify([retried.poolId]);
  return { kind: 'retried', ...delivery, requestAttemptId: retried.requestAttemptId, how: retried.how };
}

async function hastenOrInsert(db: Database, delivery: Delivery, requestAttemptId: string) {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const open = await hastenOpenAttempt(db, delivery, requestAttemptId);
    if (open) {
      return { requestAttemptId: open.request_attempt_id, poolId: open.pool_id, how: open.is_leased ? 'in_progress' : 'hastened' } as const;
    }
    const made = await insertRetryAttempt(db, delivery);
    if (made) {
      return { requestAttemptId: made.request_attempt_id, poolId: made.pool_id, how: 'created' } as const;
    }
  }
  return null;
}
