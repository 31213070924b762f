import type { Database } from '../pool.ts';

/** Begins to count the events of today of an organization or application, from those that it has ingested so far. */
export async function openDailyQuota(db: Database, ownerId: string): Promise<void> {
  await db.query({ name: 'open_daily_quota', text: sql, values: [ownerId] });
}

// Once a day for each owner, since it counts. Served by application_pkey and application_by_organization. The view is asked for each
// application by itself: joined to them, it would count for all there are. Of two that do it at once the first wins.
const sql = `
insert into event.daily_quota as q (owner_id, day, used, granted)
select $1::uuid, t.today, used.amount, 0
from (select (statement_timestamp() at time zone 'UTC')::date as today) t
cross join lateral (
  select coalesce(sum((select sum(d.amount) from event.events_per_day d where d.application_id = a.application_id and d.day = t.today)), 0)
    as amount
  from event.application a
  where a.application_id = $1 or a.organization_id = $1
) used
on conflict on constraint daily_quota_pkey do update
set day = excluded.day, used = excluded.used, granted = 0
where q.day < excluded.day
`;
