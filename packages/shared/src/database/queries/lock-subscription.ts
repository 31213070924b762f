import type { Database } from '../pool.ts';

export interface LockedSubscription {
  readonly paused_at: Date | null;
}

/** A subscription as it is until the end of the transaction, but for what this transaction changes; undefined when there is none. */
export async function lockSubscription(db: Database, subscriptionId: string): Promise<LockedSubscription | undefined> {
  const { rows } = await db.query<LockedSubscription>({ name: 'lock_subscription', text: sql, values: [subscriptionId] });
  return rows[0];
}

// Served by subscription_pkey.
const sql = `
select paused_at from webhook.subscription where subscription_id = $1 and deleted_at is null for no key update
`;
