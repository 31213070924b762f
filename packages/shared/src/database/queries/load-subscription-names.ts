import type { QueryResultRow } from 'pg';
import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** By what operators know a subscription, and the time. */
export interface SubscriptionNameRow extends QueryResultRow {
  readonly subscription_id: string;
  readonly application_id: string;
  readonly description: string | null;
  readonly target_url: string;
  readonly at: Date;
}

/** Whose subscriptions these are, what they are called and where they lead, whatever their state; unknown ids are left out. */
export async function loadSubscriptionNames(db: Database, subscriptionIds: readonly string[]): Promise<SubscriptionNameRow[]> {
  const { rows } = await db.query<SubscriptionNameRow>({
    name: 'load_subscription_names',
    text: sql,
    values: [uuidArray(subscriptionIds)],
  });
  return rows;
}

// Served by subscription_pkey.
const sql = `
select subscription_id, application_id, description, target_url, statement_timestamp() as at
from webhook.subscription
where subscription_id = any ($1::uuid[])
`;
