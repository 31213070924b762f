import type { QueryResultRow } from 'pg';
import type { RetryPolicy } from '../../domain/delivery-policy.ts';
import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';
import { healthColumns, type SubscriptionHealthRow } from '../subscription-health-row.ts';

/** What a delivery needs to know of a subscription. */
export interface SubscriptionForDelivery extends SubscriptionHealthRow, QueryResultRow {
  readonly subscription_id: string;
  readonly target_method: string;
  readonly target_url: string;
  readonly target_headers: Record<string, string | string[]>;
  readonly secret_sealed: Buffer;
  /** Secrets that were rotated out and sign for some time yet, newest first. */
  readonly previous_secrets_sealed: Buffer[];
  readonly is_live: boolean;
  readonly is_paused: boolean;
  /** Attempts made up to this time are cancelled; null when none are. */
  readonly cancelled_until: Date | null;
  readonly retry_schedule: RetryPolicy | null;
  readonly timeout_ms: number | null;
  readonly in_flight_max: number | null;
  readonly rate_requests: number | null;
  readonly rate_period_ms: number | null;
}

/** Subscriptions by id, whatever their state; unknown ids are left out. */
export async function loadSubscriptions(db: Database, subscriptionIds: readonly string[]): Promise<SubscriptionForDelivery[]> {
  const { rows } = await db.query<SubscriptionForDelivery>({
    name: 'load_subscriptions',
    text: sql,
    values: [uuidArray(subscriptionIds)],
  });
  return rows;
}

const sql = `
select s.subscription_id, s.target_method, s.target_url, s.target_headers, s.secret_sealed,
       array(select p.sealed from unnest(s.previous_secrets_sealed, s.previous_secrets_until) with ordinality as p (sealed, until, ordinality)
             where p.until > statement_timestamp() order by p.ordinality) as previous_secrets_sealed,
       s.disabled_at is null and s.deleted_at is null as is_live,
       s.paused_at is not null as is_paused,
       nullif(s.cancelled_until, '-infinity') as cancelled_until,
       s.retry_schedule, s.timeout_ms, s.in_flight_max, s.rate_requests, s.rate_period_ms, ${healthColumns}
from webhook.subscription s
left join webhook.subscription_health h on h.subscription_id = s.subscription_id
where s.subscription_id = any ($1::uuid[])
`;
