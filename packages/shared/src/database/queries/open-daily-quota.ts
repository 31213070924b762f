import type { Database } from '../pool.ts';

/** Begins to count the events of today of an organization or application, from those that it has ingested so far. */
export async function openDailyQuota(db: Database, ownerId: string): Promise<void> {
  await db.query({ name: 'open_daily_quota', text: sql, values: [ownerId] });
}

// Once a day for each owner, since it counts. Served by application_pkey and application_by_organization. Of two that do it at once the first
// wins.
const sql = `
insert into event.daily_quota as q (owner_id, day, used, granted)
select $1::uuid, t.today, coalesce(sum(d.amount), 0), 0
from (select (statement_timestamp() at time zone 'UTC')::date as today) t
left join event.application a on a.application_id = $1 or a.organization_id = $1
left join event.events_per_day d on d.application_id = a.application_id and d.day = t.today
group by t.today
on conflict on constraint daily_quota_pkey do update
set day = excluded.day, used = excluded.used, granted = 0
where q.day < excluded.day
`;
