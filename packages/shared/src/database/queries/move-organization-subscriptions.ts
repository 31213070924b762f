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

// Locked in the order of their ids: unordered, two changes of the same ones deadlock.
const sql = `
with following as materialized (
  select s.subscription_id
  from event.application a
  join webhook.subscription s on s.application_id = a.application_id
  where a.organization_id = $1 and s.deleted_at is null and s.pool_id <> $2
    and not exists (select from webhook.subscription_worker w where w.subscription_id = s.subscription_id)
  order by s.subscription_id
  for no key update of s
)
update webhook.subscription
set pool_id = $2, unsettled_since = statement_timestamp()
where subscription_id = any (array(select subscription_id from following))
returning subscription_id
`;
