import type { Database } from '../pool.ts';
import type { SubscriptionToWrite } from './insert-subscription.ts';

/**
 * Writes a subscription anew; its secret and a pause stay. Disabling it cancels its open attempts from then on; enabled again or sent
 * elsewhere, it starts with a clean health.
 */
export async function updateSubscription(db: Database, subscription: SubscriptionToWrite): Promise<void> {
  const { target, policy } = subscription;
  await db.query({
    name: 'update_subscription',
    text: sql,
    values: [
      subscription.subscriptionId,
      subscription.description,
      JSON.stringify(subscription.labels),
      JSON.stringify(subscription.metadata),
      target.method,
      target.url,
      JSON.stringify(target.headers),
      subscription.poolId,
      subscription.isEnabled,
      policy.retrySchedule && JSON.stringify(policy.retrySchedule),
      policy.timeoutMs,
      policy.inFlightMax,
      policy.rate?.requests,
      policy.rate?.periodMs,
    ],
  });
}

// An attempt that was made while the disabling was not visible yet is cancelled with the others, also when the subscription is enabled before
// its row is worked off: nothing that read as failed is sent. The millisecond is that of the ids, by which workers compare.
const sql = `
with renewed as materialized (
  select subscription_id
  from webhook.subscription
  where subscription_id = $1 and deleted_at is null and ($9 and disabled_at is not null or target_url <> $6)
),
cleared as (
  delete from webhook.subscription_health where subscription_id in (select subscription_id from renewed)
)
update webhook.subscription
set description = $2, labels = $3, metadata = $4, target_method = $5, target_url = $6, target_headers = $7, pool_id = $8,
    retry_schedule = $10, timeout_ms = $11, in_flight_max = $12, rate_requests = $13, rate_period_ms = $14,
    cancelled_until = case
      when not $9 and disabled_at is null then statement_timestamp()
      when $9 and disabled_at is not null then date_trunc('milliseconds', clock_timestamp()) - interval '1 millisecond'
      else cancelled_until
    end,
    cancelled_at = case when not $9 and disabled_at is null then statement_timestamp() else cancelled_at end,
    disabled_at = case when not $9 then coalesce(disabled_at, statement_timestamp()) end,
    disabled_reason = case when not $9 then coalesce(disabled_reason, 'by_request') end,
    parked_at = case when not exists (select from renewed) then parked_at end,
    unsettled_since = case
      when pool_id <> $8 or $9 <> (disabled_at is null) or parked_at is not null and exists (select from renewed) then statement_timestamp()
      else unsettled_since
    end,
    updated_at = statement_timestamp()
where subscription_id = $1 and deleted_at is null
`;
