import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** A subscription whose attempts a mass change is ending or parking, and which of them claims pass over meanwhile. */
export interface PassedOverSubscription {
  readonly subscriptionId: string;
  /** Attempts made up to this time are cancelled, as PostgreSQL wrote it: `infinity` for all, `-infinity` for none. */
  readonly cancelledUntil: string;
  /** All others but samples are to be parked. */
  readonly isPaused: boolean;
  /** When this was read by the clock of the database, in microseconds since 1970. */
  readonly asOfMicros: number;
}

/** Of these subscriptions those whose attempts are cancelled, or to be parked, and may not all be worked off yet. */
export async function loadPassedOverSubscriptions(db: Database, subscriptionIds: readonly string[]): Promise<PassedOverSubscription[]> {
  const rows = await db.queryText({ name: 'load_passed_over_subscriptions', text: sql, values: [uuidArray(subscriptionIds)] });
  return rows.map((row) => ({
    subscriptionId: row[0] ?? '',
    cancelledUntil: row[1] ?? '',
    isPaused: row[2] === 't',
    asOfMicros: Number(row[3]),
  }));
}

// Served by the primary key of subscription. The conditions are those of claim-request-attempts.
const sql = `
select subscription_id, case when disabled_at is null and deleted_at is null then cancelled_until else 'infinity' end,
       coalesce(paused_at, parked_at) is not null,
       (extract(epoch from statement_timestamp()) * 1000000)::bigint
from webhook.subscription
where subscription_id = any ($1::uuid[]) and unsettled_since is not null
  and (disabled_at is not null or deleted_at is not null or coalesce(paused_at, parked_at) is not null or cancelled_until > '-infinity')
`;
