import type { Database } from '../pool.ts';

/**
 * Marks an application with its subscriptions and secrets as deleted; its open attempts are cancelled from then on. Returns the
 * subscriptions that this deleted.
 */
export async function deleteApplication(db: Database, applicationId: string): Promise<string[]> {
  const { rows } = await db.query<{ subscription_id: string }>({ name: 'delete_application', text: sql, values: [applicationId] });
  return rows.map((row) => row.subscription_id);
}

// Subscriptions are locked in the order of their ids: unordered, two changes of the same ones deadlock.
const sql = `
with live as materialized (
  select subscription_id
  from webhook.subscription
  where application_id = $1 and deleted_at is null
  order by subscription_id
  for no key update
),
deleted_application as (
  update event.application set deleted_at = statement_timestamp() where application_id = $1 and deleted_at is null
),
deleted_secret as (
  update iam.application_secret set deleted_at = statement_timestamp() where application_id = $1 and deleted_at is null
)
update webhook.subscription
set deleted_at = statement_timestamp(), cancelled_until = statement_timestamp(),
    cancelled_at = case when disabled_at is null then statement_timestamp() else cancelled_at end,
    unsettled_since = statement_timestamp(), updated_at = statement_timestamp()
where subscription_id = any (array(select subscription_id from live))
returning subscription_id
`;
