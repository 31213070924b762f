-- Claims look payloads up by a plan that is kept for the day. One that is made while the day's partition is nearly empty must not become a
-- sequential scan that is kept while it fills: the planner looks at the size of the file. As with webhook.open_attempt the file is given some pages
-- from the start, and vacuum does not truncate it, which tells those that have theirs. Forty, of which a scan costs more than any look-up by index.
create function event.give_pages() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  pages constant integer := 40;
  rows_per_page constant integer := 4;
  partition record;
begin
  for partition in
    select c.oid::regclass as name, to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'event.event'::regclass and not coalesce('vacuum_truncate=off' = any (c.reloptions), false)
  loop
    execute format('alter table %s set (vacuum_truncate = off)', partition.name);
    continue when pg_relation_size(partition.name) >= pages * current_setting('block_size')::integer;
    -- Rows of an application that cannot be: ids are version 4 or 7.
    execute format($insert$
      insert into %s (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
      select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), $1, $1, 'none', decode(repeat('00', 1700), 'hex'), 'none', '{}', '{}'
      from generate_series(1, $2)$insert$, partition.name) using partition.day, pages * rows_per_page;
    execute format($delete$
      delete from %s where application_id = '00000000-0000-0000-0000-000000000000'$delete$, partition.name);
  end loop;
end
$$;

revoke all on function event.give_pages() from public;

-- What made partitions until now is a part of what does.
alter function webhook.ensure_partitions() rename to make_partitions;

do $$
begin
  if exists (select from pg_roles where rolname = 'postrider_runtime') then
    revoke all on function webhook.make_partitions() from postrider_runtime;
  end if;
end
$$;

create function webhook.ensure_partitions() returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
declare
  made constant integer := webhook.make_partitions();
begin
  if made > 0 then
    perform event.give_pages();
  end if;
  return made;
end
$$;

revoke all on function webhook.ensure_partitions() from public;
select postrider.grant_to_runtime('execute', 'function webhook.ensure_partitions()');
select event.give_pages();
