import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** Disables subscriptions whose receiver said that it is gone for good; their waiting attempts are cancelled from now on. */
export async function disableGoneSubscriptions(db: Database, subscriptionIds: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ subscription_id: string }>({
    name: 'disable_gone_subscriptions',
    text: sql,
    values: [uuidArray(subscriptionIds)],
  });
  return rows.map((row) => row.subscription_id);
}

// Locked in the order of their ids: unordered, two changes of the same ones deadlock.
const sql = `
with live as materialized (
  select subscription_id
  from webhook.subscription
  where subscription_id = any ($1::uuid[]) and disabled_at is null and deleted_at is null
  order by subscription_id
  for no key update
)
update webhook.subscription
set disabled_at = statement_timestamp(), disabled_reason = 'gone', cancelled_until = statement_timestamp(),
    cancelled_at = statement_timestamp(), unsettled_since = statement_timestamp(), updated_at = statement_timestamp()
where subscription_id = any (array(select subscription_id from live))
returning subscription_id
`;
