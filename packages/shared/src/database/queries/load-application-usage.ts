import { type Database, onlyRow } from '../pool.ts';

export interface ApplicationUsage {
  readonly events_today: number;
  readonly has_event_type: boolean;
  readonly has_subscription: boolean;
  readonly has_event: boolean;
}

/** What an application has done so far. Today is a UTC day. */
export async function loadApplicationUsage(db: Database, applicationId: string): Promise<ApplicationUsage> {
  return onlyRow(await db.query<ApplicationUsage>({ name: 'load_application_usage', text: sql, values: [applicationId] }));
}

const sql = `
select
  (select coalesce(sum(amount), 0)::integer from event.events_per_day
   where application_id = $1 and day = (statement_timestamp() at time zone 'UTC')::date) as events_today,
  exists (select from event.event_type where application_id = $1 and deactivated_at is null) as has_event_type,
  exists (select from webhook.subscription where application_id = $1 and deleted_at is null) as has_subscription,
  exists (select from event.event_key where application_id = $1) as has_event
`;
