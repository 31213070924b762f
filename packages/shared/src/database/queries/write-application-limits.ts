import type { ApplicationLimits, OwnLimits } from '../../domain/quotas.ts';
import type { Database } from '../pool.ts';

/** Gives an application these limits of its own and no others. */
export async function writeApplicationLimits(db: Database, applicationId: string, limits: OwnLimits<ApplicationLimits>): Promise<void> {
  await db.query({
    name: 'write_application_limits',
    text: sql,
    values: [
      applicationId,
      limits.events_per_day_limit,
      limits.days_of_events_retention_limit,
      limits.subscriptions_per_application_limit,
      limits.event_types_per_application_limit,
    ],
  });
}

const sql = `
update event.application
set events_per_day_limit = $2, days_of_events_retention_limit = $3, subscriptions_per_application_limit = $4,
    event_types_per_application_limit = $5
where application_id = $1 and deleted_at is null
`;
