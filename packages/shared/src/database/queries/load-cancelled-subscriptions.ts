import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** Whose attempts, and which of them, are being ended or parked by a mass change. */
export interface CancelledSubscription {
  readonly subscriptionId: string;
  /** Attempts made up to this time, as PostgreSQL wrote it: `infinity` for all. */
  readonly madeUntil: string;
  /** When this was read by the clock of the database, in microseconds since 1970. */
  readonly asOfMicros: number;
}

/** Of these subscriptions those whose attempts are cancelled, or to be parked, and may not all be worked off yet. */
export async function loadCancelledSubscriptions(db: Database, subscriptionIds: readonly string[]): Promise<CancelledSubscription[]> {
  const rows = await db.queryText({ name: 'load_cancelled_subscriptions', text: sql, values: [uuidArray(subscriptionIds)] });
  return rows.map((row) => ({ subscriptionId: row[0] ?? '', madeUntil: row[1] ?? '', asOfMicros: Number(row[2]) }));
}

const sql = `
select subscription_id,
       case when disabled_at is null and deleted_at is null and paused_at is null then cancelled_until else 'infinity' end,
       (extract(epoch from statement_timestamp()) * 1000000)::bigint
from webhook.subscription
where subscription_id = any ($1::uuid[]) and unsettled_since is not null
  and (disabled_at is not null or deleted_at is not null or paused_at is not null or cancelled_until > '-infinity')
`;
