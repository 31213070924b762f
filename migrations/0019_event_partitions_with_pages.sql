-- Claims look payloads up by a plan that is kept for the day. One that is made while the day's partition is nearly empty must not become a
-- sequential scan that is kept while it fills: the planner looks at the size of the file. As with webhook.open_attempt the file is given some pages
-- from the start, and vacuum does not truncate it. Forty of them, of which a scan costs more than any look-up by index.
create function event.give_pages(partition regclass, received_at timestamptz) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  pages constant integer := 40;
  rows_per_page constant integer := 4;
begin
  if pg_relation_size(partition) >= pages * current_setting('block_size')::integer then
    return;
  end if;
  execute format('alter table %s set (vacuum_truncate = off)', partition);
  -- Rows of an application that cannot be: ids are version 4 or 7.
  execute format($insert$
    insert into %s (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
    select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), $1, $1, 'none', decode(repeat('00', 1700), 'hex'), 'none', '{}', '{}'
    from generate_series(1, $2)$insert$, partition) using received_at, pages * rows_per_page;
  execute format($delete$
    delete from %s where application_id = '00000000-0000-0000-0000-000000000000'$delete$, partition);
end
$$;

revoke all on function event.give_pages(regclass, timestamptz) from public;

-- As before, and with pages for new partitions of events.
create or replace function webhook.ensure_partitions() returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set lock_timeout = '2s'
as $$
declare
  parent record;
  made integer := 0;
  day date;
  partition_name text;
begin
  perform pg_advisory_xact_lock(hashtext('postrider'), hashtext('ensure_partitions'));
  for parent in select * from (values ('event', 'event'), ('webhook', 'finished_attempt')) as p (schema_name, table_name) loop
    for day in select generate_series(current_date - 1, current_date + 3, interval '1 day')::date loop
      partition_name := parent.table_name || '_' || to_char(day, 'YYYYMMDD');
      if exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = parent.schema_name and c.relname = partition_name and c.relispartition
      ) then
        continue;
      end if;
      execute format('drop table if exists %I.%I', parent.schema_name, partition_name);
      execute format('create table %I.%I (like %I.%I including defaults including constraints including storage)',
                     parent.schema_name, partition_name, parent.schema_name, parent.table_name);
      if parent.table_name = 'event' then
        perform event.give_pages(format('%I.%I', parent.schema_name, partition_name)::regclass, day::timestamptz);
      end if;
      execute format('alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
                     parent.schema_name, parent.table_name, parent.schema_name, partition_name,
                     day::timestamptz, (day + 1)::timestamptz);
      made := made + 1;
    end loop;
  end loop;
  return made;
end
$$;

-- The partitions that are there already, by the day in their names.
do $$
declare
  partition record;
begin
  for partition in
    select i.inhrelid::regclass as name, to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'event.event'::regclass
  loop
    perform event.give_pages(partition.name, partition.day::timestamp at time zone 'UTC');
  end loop;
end
$$;
