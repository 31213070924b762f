import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface UnsettledSubscription extends QueryResultRow {
  readonly subscription_id: string;
  /** As PostgreSQL wrote it, to be compared when it is settled. */
  readonly unsettled_since: string;
  /** Whether the change is old enough for every transaction that did not see it to have ended. */
  readonly can_settle: boolean;
}

/** Subscriptions whose routing or life changed and whose open attempts may not follow yet, oldest change first. */
export async function listUnsettledSubscriptions(db: Database, settleAfterMs: number, limit: number): Promise<UnsettledSubscription[]> {
  const { rows } = await db.query<UnsettledSubscription>({
    name: 'list_unsettled_subscriptions',
    text: sql,
    values: [settleAfterMs, limit],
  });
  return rows;
}

const sql = `
select subscription_id, unsettled_since::text,
       unsettled_since < statement_timestamp() - $1 * interval '1 millisecond' as can_settle
from webhook.subscription
where unsettled_since is not null
order by unsettled_since
limit $2
`;
