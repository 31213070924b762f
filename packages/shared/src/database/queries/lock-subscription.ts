import type { Database } from '../pool.ts';

/** Keeps a subscription as it is to the end of the transaction, but for what this transaction changes. Returns whether there is one. */
export async function lockSubscription(db: Database, subscriptionId: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'lock_subscription', text: sql, values: [subscriptionId] });
  return rowCount === 1;
}

const sql = `
select from webhook.subscription where subscription_id = $1 and deleted_at is null for no key update
`;
