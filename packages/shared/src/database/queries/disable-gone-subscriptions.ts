import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/**
 * Disables subscriptions whose receiver said that it is gone for good, or did nothing but fail for too long; their waiting attempts are
 * cancelled from now on. In the audit log that is the system's doing.
 */
export async function disableGoneSubscriptions(
  db: Database,
  subscriptionIds: readonly string[],
  reason: 'gone' | 'failing' = 'gone',
): Promise<string[]> {
  const { rows } = await db.query<{ subscription_id: string }>({
    name: 'disable_gone_subscriptions',
    text: sql,
    values: [uuidArray(subscriptionIds), reason],
  });
  return rows.map((row) => row.subscription_id);
}

// All rows are locked before the first chain is, rows in the order of their ids and chains in that of organizations: whoever else locks both
// does it in this order, and two changes of the same ones do not deadlock.
const sql = `
with live as materialized (
  select subscription_id
  from webhook.subscription
  where subscription_id = any ($1::uuid[]) and disabled_at is null and deleted_at is null
  order by subscription_id
  for no key update
),
disabled as (
  update webhook.subscription
  set disabled_at = statement_timestamp(), disabled_reason = $2, cancelled_until = statement_timestamp(),
      cancelled_at = statement_timestamp(), unsettled_since = statement_timestamp(), updated_at = statement_timestamp()
  where subscription_id = any (array(select subscription_id from live))
  returning subscription_id, application_id, disabled_at
),
audited as (
  insert into iam.audit_log (organization_id, application_id, actor_kind, action, target_kind, target_id, changes)
  select a.organization_id, d.application_id, 'system', 'subscriptions.disable_' || $2::text, 'subscription', d.subscription_id,
         jsonb_build_object(
           'disabled_at', jsonb_build_object('from', null, 'to', to_char(d.disabled_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
           'disabled_reason', jsonb_build_object('from', null, 'to', $2::text)
         )
  from disabled d
  join event.application a on a.application_id = d.application_id
  order by a.organization_id, d.subscription_id
)
select subscription_id from disabled
`;
