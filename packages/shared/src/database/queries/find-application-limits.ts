import type { ApplicationLimits, OrganizationLimits, OwnLimits } from '../../domain/quotas.ts';
import type { Database } from '../pool.ts';

/** The limits that an application and its organization have of their own. */
export interface ApplicationLimitsRow {
  readonly organization_id: string;
  readonly own: OwnLimits<ApplicationLimits>;
  readonly of_organization: OwnLimits<OrganizationLimits>;
}

/** The limits of an application; undefined when it does not exist. */
export async function findApplicationLimits(db: Database, applicationId: string): Promise<ApplicationLimitsRow | undefined> {
  const { rows } = await db.query<ApplicationLimitsRow>({ name: 'find_application_limits', text: sql, values: [applicationId] });
  return rows[0];
}

// Served by application_pkey and organization_pkey.
const sql = `
select o.organization_id,
       jsonb_build_object(
         'events_per_day_limit', a.events_per_day_limit,
         'days_of_events_retention_limit', a.days_of_events_retention_limit,
         'subscriptions_per_application_limit', a.subscriptions_per_application_limit,
         'event_types_per_application_limit', a.event_types_per_application_limit) as own,
       jsonb_build_object(
         'members_per_organization_limit', o.members_per_organization_limit,
         'applications_per_organization_limit', o.applications_per_organization_limit,
         'events_per_day_limit', o.events_per_day_limit,
         'days_of_events_retention_limit', o.days_of_events_retention_limit,
         'subscriptions_per_application_limit', o.subscriptions_per_application_limit,
         'event_types_per_application_limit', o.event_types_per_application_limit) as of_organization
from event.application a
join iam.organization o on o.organization_id = a.organization_id
where a.application_id = $1 and a.deleted_at is null
`;
