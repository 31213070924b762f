import type { Database } from '../pool.ts';

/** Marks a subscription as deleted; its open attempts are cancelled from then on. Returns whether there was one. */
export async function deleteSubscription(db: Database, applicationId: string, subscriptionId: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'delete_subscription', text: sql, values: [applicationId, subscriptionId] });
  return rowCount === 1;
}

const sql = `
update webhook.subscription
set deleted_at = statement_timestamp(), cancelled_until = statement_timestamp(),
    cancelled_at = case when disabled_at is null then statement_timestamp() else cancelled_at end,
    unsettled_since = statement_timestamp(), updated_at = statement_timestamp()
where application_id = $1 and subscription_id = $2 and deleted_at is null
`;
