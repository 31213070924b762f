-- Events per day and application, cheap to read and right to the last event: days that ended are counted once and kept, also when their
-- partitions are gone; what came since is counted anew by every refresh; and what came after the refresh is counted when it is asked for.

-- How far the two counts below reach. Days before snapshotted_until are in the table, the time from there to counted_until is in the
-- materialized view, and later events are in neither.
create table event.events_per_day_progress (
  is_the_only_row boolean not null default true constraint events_per_day_progress_pkey primary key
    constraint events_per_day_progress_has_one_row check (is_the_only_row),
  snapshotted_until timestamptz not null default '-infinity',
  counted_until timestamptz not null default '-infinity',
  refreshed_at timestamptz not null default '-infinity'
);

insert into event.events_per_day_progress default values;

create table event.snapshotted_events_per_day (
  application_id uuid not null,
  day date not null,
  amount bigint not null,
  constraint snapshotted_events_per_day_pkey primary key (application_id, day)
);

create materialized view event.recent_events_per_day as
select e.application_id, (e.received_at at time zone 'UTC')::date as day, count(*) as amount
from event.event e
where e.received_at >= (select snapshotted_until from event.events_per_day_progress)
  and e.received_at < (select counted_until from event.events_per_day_progress)
group by e.application_id, day;

create unique index recent_events_per_day_key on event.recent_events_per_day (application_id, day);

-- Refreshes the counts unless another instance is doing so, or has done so within `fresh_for`. The last minute is left out: an ingest that
-- is under way may still commit into it. An hour after its end no day changes any more, and is counted for the last time.
create function event.refresh_events_per_day(fresh_for interval) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  progress event.events_per_day_progress;
  until timestamptz := date_trunc('milliseconds', statement_timestamp()) - interval '1 minute';
  days_until timestamptz := date_trunc('day', statement_timestamp() - interval '1 hour');
begin
  if not pg_try_advisory_xact_lock(hashtext('postrider'), hashtext('refresh_events_per_day')) then
    return false;
  end if;
  select * into strict progress from event.events_per_day_progress;
  if progress.refreshed_at > statement_timestamp() - fresh_for then
    return false;
  end if;
  if days_until > progress.snapshotted_until then
    insert into event.snapshotted_events_per_day (application_id, day, amount)
    select application_id, received_at::date, count(*)
    from event.event
    where received_at >= progress.snapshotted_until and received_at < days_until
    group by application_id, received_at::date;
  end if;
  update event.events_per_day_progress
  set snapshotted_until = greatest(snapshotted_until, days_until), counted_until = until, refreshed_at = statement_timestamp();
  refresh materialized view concurrently event.recent_events_per_day;
  return true;
end
$$;

revoke all on function event.refresh_events_per_day(interval) from public;

-- Row-level security does not reach into materialized views, so neither count is granted to anybody: they are read for one application
-- at a time, and the view below asks for those only that its reader may see.
-- It runs as its owner, whom policies do not hold back, so it looks itself at whom the transaction says it is for.
create function event.counted_events_per_day(of_application uuid) returns table (day date, amount bigint)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  with asked as (
    select a.application_id
    from event.application a
    where a.application_id = of_application
      and (coalesce(current_setting('postrider.application_ids', true), '') = ''
        or a.organization_id = postrider.tenant_organization_id()
          and (postrider.tenant_has_all_applications() or a.application_id = any (postrider.tenant_listed_application_ids())))
  )
  select s.day, s.amount from asked join event.snapshotted_events_per_day s using (application_id)
  union all
  select r.day, r.amount from asked join event.recent_events_per_day r using (application_id)
$$;

revoke all on function event.counted_events_per_day(uuid) from public;

-- A day may have two rows, one counted before and one just now: readers add them up.
create view event.events_per_day with (security_invoker = true) as
select a.application_id, c.day, c.amount
from event.application a
cross join lateral (
  select day, amount from event.counted_events_per_day(a.application_id)
  union all
  select (e.received_at at time zone 'UTC')::date as day, count(*) as amount
  from event.event e
  where e.application_id = a.application_id
    and e.received_at >= (select counted_until from event.events_per_day_progress)
  group by 1
) c;

select postrider.grant_to_runtime('select', 'event.events_per_day_progress'),
       postrider.grant_to_runtime('select', 'event.events_per_day'),
       postrider.grant_to_runtime('execute', 'function event.refresh_events_per_day(interval)'),
       postrider.grant_to_runtime('execute', 'function event.counted_events_per_day(uuid)');

select postrider.isolate_by_application('event.snapshotted_events_per_day'),
       postrider.grant_to_tenant('select', 'event.events_per_day_progress, event.events_per_day'),
       postrider.grant_to_tenant('execute', 'function event.counted_events_per_day(uuid)');
