-- Two roles: the owner runs this file and owns what it makes; the runtime role reads and writes rows and owns nothing.
-- Roles belong to the whole server, so another database of the same server may have made this one already.
do $$
begin
  if not exists (select from pg_roles where rolname = 'postrider_runtime') then
    create role postrider_runtime nologin nosuperuser nobypassrls;
  end if;
exception
  when insufficient_privilege then
    raise notice 'the role postrider_runtime could not be made: the API and the workers will run with the rights of the migrating role';
  when duplicate_object or unique_violation then
    null;
end
$$;

create schema if not exists postrider;
create schema iam;
create schema event;
create schema webhook;

-- Grants to the runtime role where it exists; operators with a single role do without.
create function postrider.grant_to_runtime(privileges text, object text) returns void
language plpgsql as $$
begin
  if exists (select from pg_roles where rolname = 'postrider_runtime') then
    execute format('grant %s on %s to postrider_runtime', privileges, object);
  end if;
end
$$;

revoke all on function postrider.grant_to_runtime(text, text) from public;

select postrider.grant_to_runtime('usage', 'schema postrider'),
       postrider.grant_to_runtime('usage', 'schema iam'),
       postrider.grant_to_runtime('usage', 'schema event'),
       postrider.grant_to_runtime('usage', 'schema webhook'),
       postrider.grant_to_runtime('select', 'postrider.schema_migration');
