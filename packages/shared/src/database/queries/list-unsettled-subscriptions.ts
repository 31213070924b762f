import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface UnsettledSubscription extends QueryResultRow {
  readonly subscription_id: string;
  /** As PostgreSQL wrote it, to be compared when it is settled. */
  readonly unsettled_since: string;
  /** Whether the change is old enough for every transaction that did not see it to have ended. */
  readonly can_settle: boolean;
}

/**
 * Subscriptions whose routing or life changed and whose open attempts may not follow yet, oldest change first. One without open attempts
 * is left out while more could come, so that many such do not hold up those that have some.
 */
export async function listUnsettledSubscriptions(db: Database, settleAfterMs: number, limit: number): Promise<UnsettledSubscription[]> {
  const { rows } = await db.query<UnsettledSubscription>({
    name: 'list_unsettled_subscriptions',
    text: sql,
    values: [settleAfterMs, limit],
  });
  return rows;
}

// Served by subscription_unsettled, and one look-up in open_attempt_by_subscription each.
const sql = `
select s.subscription_id, s.unsettled_since::text, c.can_settle
from webhook.subscription s
cross join lateral (select s.unsettled_since < statement_timestamp() - $1 * interval '1 millisecond' as can_settle) c
where s.unsettled_since is not null
  and (c.can_settle or exists (select from webhook.open_attempt a where a.subscription_id = s.subscription_id))
order by s.unsettled_since
limit $2
`;
