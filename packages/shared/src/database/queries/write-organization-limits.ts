import type { OrganizationLimits, OwnLimits } from '../../domain/quotas.ts';
import type { Database } from '../pool.ts';

/** Gives an organization these limits of its own and no others. */
export async function writeOrganizationLimits(db: Database, organizationId: string, limits: OwnLimits<OrganizationLimits>): Promise<void> {
  await db.query({
    name: 'write_organization_limits',
    text: sql,
    values: [
      organizationId,
      limits.members_per_organization_limit,
      limits.applications_per_organization_limit,
      limits.events_per_day_limit,
      limits.days_of_events_retention_limit,
      limits.subscriptions_per_application_limit,
      limits.event_types_per_application_limit,
    ],
  });
}

const sql = `
update iam.organization
set members_per_organization_limit = $2, applications_per_organization_limit = $3, events_per_day_limit = $4,
    days_of_events_retention_limit = $5, subscriptions_per_application_limit = $6, event_types_per_application_limit = $7
where organization_id = $1 and deleted_at is null
`;
