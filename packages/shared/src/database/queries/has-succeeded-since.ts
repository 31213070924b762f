import type { Database } from '../pool.ts';
import { onlyRow } from '../pool.ts';

/** Whether any attempt of a subscription succeeded within the last so many milliseconds. */
export async function hasSucceededSince(db: Database, subscriptionId: string, sinceMs: number): Promise<boolean> {
  const result = await db.query<{ has_succeeded: boolean }>({ name: 'has_succeeded_since', text: sql, values: [subscriptionId, sinceMs] });
  return onlyRow(result).has_succeeded;
}

// Served by finished_attempt_by_subscription in the partitions since then. Samples are not told apart: one that arrived is as good a sign of life.
const sql = `
select exists (
  select from webhook.finished_attempt
  where subscription_id = $1 and succeeded_at is not null
    and finished_at >= statement_timestamp() - $2::float8 * interval '1 millisecond'
) as has_succeeded
`;
