import type { Database } from '../pool.ts';

/** Puts an organization's subscriptions that name no workers themselves into a pool; returns those that were in another. */
export async function moveOrganizationSubscriptions(db: Database, organizationId: string, poolId: number): Promise<string[]> {
  const { rows } = await db.query<{ subscription_id: string }>({
    name: 'move_organization_subscriptions',
    text: sql,
    values: [organizationId, poolId],
  });
  return rows.map((row) => row.subscription_id);
}

const sql = `
update webhook.subscription s
set pool_id = $2, unsettled_since = statement_timestamp()
from event.application a
where a.organization_id = $1 and s.application_id = a.application_id and s.deleted_at is null and s.pool_id <> $2
  and not exists (select from webhook.subscription_worker w where w.subscription_id = s.subscription_id)
returning s.subscription_id
`;
