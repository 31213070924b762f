import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';
import { healthColumns, type SubscriptionHealthRow } from '../subscription-health-row.ts';

export interface LockedHealthRow extends SubscriptionHealthRow, QueryResultRow {
  readonly application_id: string;
  readonly in_flight_max: number | null;
  readonly is_rate_limited: boolean;
  /** By the database's clock. */
  readonly read_at: Date;
}

/** The health of a live subscription until the end of the transaction; undefined when it was disabled or deleted. */
export async function lockSubscriptionHealth(db: Database, subscriptionId: string): Promise<LockedHealthRow | undefined> {
  const { rows } = await db.query<LockedHealthRow>({ name: 'lock_subscription_health', text: sql, values: [subscriptionId] });
  return rows[0];
}

// Served by the primary keys. The row of the subscription is the lock: the other one may not exist yet.
const sql = `
with locked as materialized (
  select subscription_id, application_id, in_flight_max, rate_requests is not null as is_rate_limited
  from webhook.subscription
  where subscription_id = $1 and disabled_at is null and deleted_at is null
  for no key update
)
select s.application_id, s.in_flight_max, s.is_rate_limited, statement_timestamp() as read_at, ${healthColumns}
from locked s
left join webhook.subscription_health h on h.subscription_id = s.subscription_id
`;
