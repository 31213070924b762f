import type { Database } from '../pool.ts';

export interface EventsPerDayRow {
  readonly application_id: string;
  readonly application_name: string;
  /** `YYYY-MM-DD`, in UTC. */
  readonly date: string;
  readonly amount: number;
  /** True for today, which is not over. */
  readonly is_provisional: boolean;
}

export interface EventsPerDayFilter {
  /** Of one application; null for those of the organization. */
  readonly applicationId: string | null;
  readonly organizationId: string | null;
  readonly from: string;
  readonly to: string;
}

/** How many events applications got on each day that they got any, oldest day first. */
export async function listEventsPerDay(db: Database, filter: EventsPerDayFilter): Promise<EventsPerDayRow[]> {
  const { rows } = await db.query<EventsPerDayRow>({
    text: sql,
    values: [filter.applicationId, filter.organizationId, filter.from, filter.to],
  });
  return rows;
}

// Planned for its values. Served by application_pkey or application_by_organization; the view looks up the counts of each application by
// their keys, and counts what is newer by event_by_application.
const sql = `
select a.application_id, a.name as application_name, to_char(d.day, 'YYYY-MM-DD') as date, sum(d.amount)::integer as amount,
       d.day >= (statement_timestamp() at time zone 'UTC')::date as is_provisional
from event.application a
join event.events_per_day d on d.application_id = a.application_id
where ($1::uuid is null or a.application_id = $1)
  and ($2::uuid is null or a.organization_id = $2)
  and a.deleted_at is null
  and d.day between $3::date and $4::date
group by a.application_id, d.day
order by d.day, a.application_id
`;
