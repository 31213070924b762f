import type { Database } from '../pool.ts';
import { onlyRow } from '../pool.ts';

/** Whether any attempt of a subscription is due, samples aside: waiting, or leased by whomever. */
export async function hasDueAttempts(db: Database, subscriptionId: string): Promise<boolean> {
  const result = await db.query<{ has_due: boolean }>({ name: 'has_due_attempts', text: sql, values: [subscriptionId] });
  return onlyRow(result).has_due;
}

// Served by open_attempt_by_subscription. What is leased is due as well. The due time stands beside the subscription as in
// claim-parked-attempts, and for the same reason.
const sql = `
select exists (
  select from webhook.open_attempt
  where subscription_id = $1 and (subscription_id, due_at) <= ($1, statement_timestamp()) and not is_test
) as has_due
`;
