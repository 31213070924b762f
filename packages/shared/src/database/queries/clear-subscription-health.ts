import type { Database } from '../pool.ts';

/** Forgets the health of a subscription that is locked and has nothing to be kept; its attempts return to the normal lane. */
export async function clearSubscriptionHealth(db: Database, subscriptionId: string): Promise<void> {
  await db.query({ name: 'clear_subscription_health', text: sql, values: [subscriptionId] });
}

const sql = `
with returned as (
  update webhook.subscription
  set parked_at = null, unsettled_since = statement_timestamp()
  where subscription_id = $1 and parked_at is not null
)
delete from webhook.subscription_health where subscription_id = $1
`;
