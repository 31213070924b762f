import type { Database } from '../pool.ts';

/**
 * Marks an application with its subscriptions and secrets as deleted; its open attempts are cancelled from then on. Returns the
 * subscriptions that this deleted.
 */
export async function deleteApplication(db: Database, applicationId: string): Promise<string[]> {
  const { rows } = await db.query<{ subscription_id: string }>({ name: 'delete_application', text: sql, values: [applicationId] });
  return rows.map((row) => row.subscription_id);
}

const sql = `
with deleted_application as (
  update event.application set deleted_at = statement_timestamp() where application_id = $1 and deleted_at is null
),
deleted_secret as (
  update iam.application_secret set deleted_at = statement_timestamp() where application_id = $1 and deleted_at is null
)
update webhook.subscription
set deleted_at = statement_timestamp(), cancelled_until = statement_timestamp(), unsettled_since = statement_timestamp(),
    updated_at = statement_timestamp()
where application_id = $1 and deleted_at is null
returning subscription_id
`;
