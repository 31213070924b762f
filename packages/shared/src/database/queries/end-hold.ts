import type { Database } from '../pool.ts';

/**
 * Ends the hold of a subscription that is locked: its next request is a probe, and the time after which it would be given up begins anew. Returns
 * until when the hold would have lasted; null when there was none.
 */
export async function endHold(db: Database, subscriptionId: string): Promise<Date | null> {
  const { rows } = await db.query<{ hold_until: Date | null }>({ name: 'end_hold', text: sql, values: [subscriptionId] });
  return rows[0]?.hold_until ?? null;
}

// Served by subscription_health_pkey. A subscription that was parked stays so until a worker finds that it does well; one that is parked and
// was not on hold keeps its budget.
const sql = `
with held as materialized (
  select hold_until from webhook.subscription_health where subscription_id = $1 for no key update
)
update webhook.subscription_health h
set hold_until = null, holds = 0, budget = case when h.hold_until is null then h.budget else 1 end, failing_since = null,
    changed_at = statement_timestamp()
from held
where h.subscription_id = $1 and (h.hold_until is not null or h.failing_since is not null)
returning case when held.hold_until > statement_timestamp() then held.hold_until end as hold_until
`;
