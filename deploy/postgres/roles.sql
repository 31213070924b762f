-- Makes the roles of an installation and its database; safe to run again. Called by docker compose, or by hand:
--   psql -v owner_password=... -v app_password=... -f deploy/postgres/roles.sql "$SUPERUSER_URL"
\set ON_ERROR_STOP on

select 'create role postrider_owner' where not exists (select from pg_roles where rolname = 'postrider_owner') \gexec
select 'create role postrider_runtime' where not exists (select from pg_roles where rolname = 'postrider_runtime') \gexec
select 'create role postrider_tenant' where not exists (select from pg_roles where rolname = 'postrider_tenant') \gexec
select 'create role postrider_app' where not exists (select from pg_roles where rolname = 'postrider_app') \gexec

-- The owner migrates; the app reads and writes rows and owns nothing; a request of a tenant sees that tenant's rows only.
alter role postrider_owner login createrole nosuperuser password :'owner_password';
alter role postrider_runtime nologin nosuperuser nobypassrls;
alter role postrider_tenant nologin nosuperuser nobypassrls;
alter role postrider_app login nosuperuser nobypassrls password :'app_password';
grant postrider_runtime to postrider_app;
grant postrider_tenant to postrider_runtime, postrider_owner;

select 'create database postrider owner postrider_owner' where not exists (select from pg_database where datname = 'postrider') \gexec
