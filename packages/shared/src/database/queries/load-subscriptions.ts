import type { QueryResultRow } from 'pg';
import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** What a delivery needs to know of a subscription. */
export interface SubscriptionForDelivery extends QueryResultRow {
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
select subscription_id, target_method, target_url, target_headers, secret_sealed,
       array(select p.sealed from unnest(previous_secrets_sealed, previous_secrets_until) with ordinality as p (sealed, until, ordinality)
             where p.until > statement_timestamp() order by p.ordinality) as previous_secrets_sealed,
       disabled_at is null and deleted_at is null as is_live,
       paused_at is not null as is_paused,
       nullif(cancelled_until, '-infinity') as cancelled_until
from webhook.subscription
where subscription_id = any ($1::uuid[])
`;
