import type { OrganizationLimits, OwnLimits } from '../../domain/quotas.ts';
import type { Database } from '../pool.ts';

/** The limits of its own that an organization has; undefined when it does not exist. */
export async function findOrganizationLimits(db: Database, organizationId: string): Promise<OwnLimits<OrganizationLimits> | undefined> {
  const { rows } = await db.query<OwnLimits<OrganizationLimits>>({ name: 'find_organization_limits', text: sql, values: [organizationId] });
  return rows[0];
}

const sql = `
select members_per_organization_limit, applications_per_organization_limit, events_per_day_limit, days_of_events_retention_limit,
       subscriptions_per_application_limit, event_types_per_application_limit
from iam.organization
where organization_id = $1 and deleted_at is null
`;
