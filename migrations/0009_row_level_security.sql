-- A second lock between tenants. Requests of the API run as postrider_tenant in transactions that say whose they are:
--   postrider.organization_id   the organization, or empty
--   postrider.application_ids   '*' for all applications of the organization, else an array of those that the request may see
-- A statement that forgets its where clause then finds the rows of that tenant, and no others.
do $$
begin
  if not exists (select from pg_roles where rolname = 'postrider_tenant') then
    create role postrider_tenant nologin nosuperuser nobypassrls;
  end if;
exception
  when insufficient_privilege then
    raise notice 'the role postrider_tenant could not be made: tenants are kept apart by the API alone';
  when duplicate_object or unique_violation then
    null;
end
$$;

-- `set role` takes membership: that of the runtime role, and that of the role which migrates, for operators who have one role only.
do $$
declare
  -- From 16 on, who made a role is a member that may not switch to it.
  may_switch constant text := case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end;
  member text;
begin
  if not exists (select from pg_roles where rolname = 'postrider_tenant') then
    return;
  end if;
  for member in select rolname from pg_roles where rolname in ('postrider_runtime', current_user) loop
    if not pg_has_role(member, 'postrider_tenant', may_switch) then
      execute format('grant postrider_tenant to %I', member);
    end if;
  end loop;
exception
  when insufficient_privilege then
    raise notice 'the role postrider_tenant could not be granted: tenants are kept apart by the API alone';
end
$$;

create function postrider.grant_to_tenant(privileges text, object text) returns void
language plpgsql as $$
begin
  if exists (select from pg_roles where rolname = 'postrider_tenant') then
    execute format('grant %s on %s to postrider_tenant', privileges, object);
  end if;
end
$$;

-- The three below read what the transaction says. A setting that is not there means nothing is to be seen.
create function postrider.tenant_organization_id() returns uuid
language sql stable parallel safe as $$
  select nullif(current_setting('postrider.organization_id', true), '')::uuid
$$;

create function postrider.tenant_has_all_applications() returns boolean
language sql stable parallel safe as $$
  select coalesce(current_setting('postrider.application_ids', true), '') = '*'
$$;

create function postrider.tenant_listed_application_ids() returns uuid[]
language sql stable parallel safe as $$
  select coalesce(nullif(nullif(current_setting('postrider.application_ids', true), ''), '*'), '{}')::uuid[]
$$;

-- The tables that are isolated, and which of their rows a tenant may see: what isolate_tenants applies.
create table postrider.isolated_table (
  table_name text primary key,
  visible text not null
);

-- Applies what is written above to every table of tenants. Can be run again: by an operator who made the role after migrations had not
-- been able to. Functions stand in scalar subqueries so that they are evaluated once for a statement, not for each row.
create function postrider.isolate_tenants() returns void
language plpgsql as $$
declare
  has_runtime constant boolean := exists (select from pg_roles where rolname = 'postrider_runtime');
  isolated record;
  privilege text;
begin
  if not exists (select from pg_roles where rolname = 'postrider_tenant') then
    return;
  end if;
  perform postrider.grant_to_tenant('usage', 'schema postrider, iam, event, webhook');

  -- What belongs to the installation and not to a tenant, and the view, which asks with the rights of its reader.
  perform postrider.grant_to_tenant('select', 'webhook.worker, webhook.worker_process, webhook.request_attempt'),
          postrider.grant_to_tenant('select, insert', 'webhook.worker_pool');

  for isolated in
    select t.table_name, t.visible, c.oid, pg_get_userbyid(c.relowner) as owner_name
    from postrider.isolated_table t
    join pg_class c on c.oid = to_regclass(t.table_name)
    where not (c.relrowsecurity and c.relforcerowsecurity)
  loop
    execute format('alter table %s enable row level security', isolated.table_name);
    execute format('alter table %s force row level security', isolated.table_name);
    execute format('create policy tenant on %s to postrider_tenant using (%s) with check (%s)',
                   isolated.table_name, isolated.visible, isolated.visible);

    -- The one exception, for what works for all tenants at once: the workers, the group that ingest writes, housekeeping, the look-up
    -- of tokens and the master key run as the runtime role; migrations, and all of it where there is one role only, as the owner.
    execute format('create policy all_tenants on %s to %s%I using (true) with check (true)',
                   isolated.table_name, case when has_runtime then 'postrider_runtime, ' else '' end, isolated.owner_name);

    foreach privilege in array array['select', 'insert', 'update', 'delete'] loop
      if not has_runtime or has_table_privilege('postrider_runtime', isolated.oid, privilege) then
        perform postrider.grant_to_tenant(privilege, isolated.table_name);
      end if;
    end loop;
  end loop;
end
$$;

-- Lets tenants see and write only those rows of a table for which `visible` holds, with the privileges that the runtime role has on it.
create function postrider.isolate(target regclass, visible text) returns void
language sql as $$
  insert into postrider.isolated_table (table_name, visible)
  select format('%I.%I', n.nspname, c.relname), visible
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.oid = target;
  select postrider.isolate_tenants();
$$;

-- For tables with an application_id. A migration that makes such a table calls it after granting to the runtime role.
-- Written so that no index can serve it and that the planner takes it to hold for nearly every row: as `application_id = any (...)` it
-- would be counted twice, beside the same condition of the statement, and plans would change for the worse. The second half is looked at
-- by requests for a whole organization only, and hashed once: the policy of event.application leaves those of the organization in it.
create function postrider.isolate_by_application(target regclass) returns void
language sql as $$
  select postrider.isolate(target,
    'array_position((select postrider.tenant_listed_application_ids()), application_id) is not null or '
    '((select postrider.tenant_has_all_applications()) and application_id in (select a.application_id from event.application a))')
$$;

-- For tables with an organization_id whose rows concern all of its applications.
create function postrider.isolate_by_organization(target regclass) returns void
language sql as $$
  select postrider.isolate(target, 'organization_id = (select postrider.tenant_organization_id())')
$$;

revoke all on function postrider.grant_to_tenant(text, text) from public;
revoke all on function postrider.isolate_tenants() from public;
revoke all on function postrider.isolate(regclass, text) from public;
revoke all on function postrider.isolate_by_application(regclass) from public;
revoke all on function postrider.isolate_by_organization(regclass) from public;

select postrider.isolate_by_organization('iam.organization'),
       postrider.isolate_by_organization('webhook.organization_worker'),
       -- Tokens of the organization can do more than who sees only some of its applications.
       postrider.isolate('iam.service_token',
         'organization_id = (select postrider.tenant_organization_id()) and (select postrider.tenant_has_all_applications())'),
       postrider.isolate('event.application',
         'organization_id = (select postrider.tenant_organization_id()) and ((select postrider.tenant_has_all_applications()) or '
         'application_id = any ((select postrider.tenant_listed_application_ids())::uuid[]))'),
       postrider.isolate('webhook.subscription_worker',
         'exists (select from webhook.subscription s where s.subscription_id = subscription_worker.subscription_id)'),
       postrider.isolate_by_application('iam.application_secret'),
       postrider.isolate_by_application('event.event_type'),
       postrider.isolate_by_application('event.event_key'),
       postrider.isolate_by_application('event.event'),
       postrider.isolate_by_application('webhook.subscription'),
       postrider.isolate_by_application('webhook.subscription_event_type'),
       postrider.isolate_by_application('webhook.open_attempt'),
       postrider.isolate_by_application('webhook.finished_attempt');
