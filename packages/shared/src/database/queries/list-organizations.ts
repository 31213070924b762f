import type { Database } from '../pool.ts';

export interface OrganizationRow {
  readonly organization_id: string;
  readonly name: string;
  readonly applications: number;
  readonly events_today: number;
  readonly has_event_type: boolean;
  readonly has_subscription: boolean;
  readonly has_event: boolean;
}

/** Organizations that are not deleted, oldest first: all of them, or the one of the given id. */
export async function listOrganizations(db: Database, organizationId: string | null = null): Promise<OrganizationRow[]> {
  const { rows } = await db.query<OrganizationRow>({ name: 'list_organizations', text: sql, values: [organizationId] });
  return rows;
}

const sql = `
select o.organization_id, o.name, used.applications, used.events_today, used.has_event_type, used.has_subscription, used.has_event
from iam.organization o
cross join lateral (
  select
    count(*)::integer as applications,
    coalesce(sum((select sum(d.amount) from event.events_per_day d
                  where d.application_id = a.application_id
                    and d.day = (statement_timestamp() at time zone 'UTC')::date)), 0)::integer as events_today,
    coalesce(bool_or(exists (select from event.event_type t where t.application_id = a.application_id and t.deactivated_at is null)), false)
      as has_event_type,
    coalesce(bool_or(exists (select from webhook.subscription s where s.application_id = a.application_id and s.deleted_at is null)), false)
      as has_subscription,
    coalesce(bool_or(exists (select from event.event_key k where k.application_id = a.application_id)), false) as has_event
  from event.application a
  where a.organization_id = o.organization_id and a.deleted_at is null
) used
where o.deleted_at is null and ($1::uuid is null or o.organization_id = $1)
order by o.organization_id
`;
