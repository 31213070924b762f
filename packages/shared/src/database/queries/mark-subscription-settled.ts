import type { Database } from '../pool.ts';

/**
 * Takes a subscription off the sweep's list, unless it changed again since `unsettledSince` or has attempts that do not follow it yet. What
 * it cancelled is worked off then, and the next change need not look for it among all that waits.
 */
export async function markSubscriptionSettled(db: Database, subscriptionId: string, unsettledSince: string): Promise<void> {
  await db.query({ name: 'mark_subscription_settled', text: sql, values: [subscriptionId, unsettledSince] });
}

// Served by open_attempt_by_subscription.
const sql = `
update webhook.subscription
set unsettled_since = null, cancelled_until = '-infinity'
where subscription_id = $1 and unsettled_since = $2::timestamptz
  and not exists (
    select from webhook.open_attempt a
    where a.subscription_id = $1
      and (a.pool_id <> subscription.pool_id or a.lane <> case when coalesce(subscription.paused_at, subscription.parked_at) is null or a.is_test then 0 else 1 end
           or subscription.disabled_at is not null or subscription.deleted_at is not null
           or a.created_at <= subscription.cancelled_until)
  )
`;
