-- Makes the partitions of yesterday to three days ahead, in UTC whatever the session says. Safe to call at any time, by anyone, at once.
-- `create table ... partition of` would wait behind every reader of the parent with all of ingest queued behind it; a table made apart
-- and then attached needs only a lock that readers and writers share, and gives up soon when even that is not to be had.
create function webhook.ensure_partitions() returns integer
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
      execute format('alter table %I.%I attach partition %I.%I for values from (%L) to (%L)',
                     parent.schema_name, parent.table_name, parent.schema_name, partition_name,
                     day::timestamptz, (day + 1)::timestamptz);
      made := made + 1;
    end loop;
  end loop;
  return made;
end
$$;

revoke all on function webhook.ensure_partitions() from public;
select postrider.grant_to_runtime('execute', 'function webhook.ensure_partitions()');
select webhook.ensure_partitions();
