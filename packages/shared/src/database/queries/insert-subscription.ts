import type { DeliveryPolicy } from '../../domain/delivery-policy.ts';
import type { Database } from '../pool.ts';

/** A subscription as it is written; its event types and workers have rows of their own. */
export interface SubscriptionToWrite {
  readonly subscriptionId: string;
  readonly isEnabled: boolean;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly target: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
  };
  readonly policy: DeliveryPolicy;
  readonly poolId: number;
}

export interface NewSubscription extends SubscriptionToWrite {
  readonly applicationId: string;
  readonly secretSealed: Buffer;
}

export async function insertSubscription(db: Database, subscription: NewSubscription): Promise<void> {
  const { target, policy } = subscription;
  await db.query({
    name: 'insert_subscription',
    text: sql,
    values: [
      subscription.subscriptionId,
      subscription.applicationId,
      subscription.description,
      JSON.stringify(subscription.labels),
      JSON.stringify(subscription.metadata),
      target.method,
      target.url,
      JSON.stringify(target.headers),
      subscription.secretSealed,
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

const sql = `
insert into webhook.subscription (subscription_id, application_id, description, labels, metadata, target_method, target_url,
                                  target_headers, secret_sealed, pool_id, disabled_at, disabled_reason, retry_schedule, timeout_ms,
                                  in_flight_max, rate_requests, rate_period_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when not $11 then statement_timestamp() end, case when not $11 then 'by_request' end,
        $12, $13, $14, $15, $16)
`;
