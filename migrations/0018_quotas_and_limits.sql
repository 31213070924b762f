-- Limits of its own that an organization or an application has; null leaves it to the organization's, and those to the settings.
alter table iam.organization
  add column members_per_organization_limit integer,
  add column applications_per_organization_limit integer,
  add column events_per_day_limit integer,
  add column days_of_events_retention_limit integer,
  add column subscriptions_per_application_limit integer,
  add column event_types_per_application_limit integer,
  add constraint organization_limits_positive check (
    least(members_per_organization_limit, applications_per_organization_limit, events_per_day_limit, days_of_events_retention_limit,
          subscriptions_per_application_limit, event_types_per_application_limit) > 0);

alter table event.application
  add column events_per_day_limit integer,
  add column days_of_events_retention_limit integer,
  add column subscriptions_per_application_limit integer,
  add column event_types_per_application_limit integer,
  add constraint application_limits_positive check (
    least(events_per_day_limit, days_of_events_retention_limit, subscriptions_per_application_limit, event_types_per_application_limit) > 0);

-- Events that instances of the API may ingest on the current day of each organization or application with a quota: they take them in chunks,
-- so `used` is ahead of what is ingested by what they still hold.
create table event.daily_quota (
  owner_id uuid primary key,
  day date not null,
  used bigint not null,
  granted bigint not null
) with (fillfactor = 50);

comment on column event.daily_quota.owner_id is 'of an organization or an application';
comment on column event.daily_quota.granted is 'by the last statement, for its own answer';

-- Buckets of tokens that limit requests across instances. Unlogged: what a crash forgets is a bucket that is full again.
create unlogged table iam.rate_limit_bucket (
  token_id uuid primary key,
  full_at timestamptz not null,
  granted integer not null
) with (fillfactor = 50);

comment on column iam.rate_limit_bucket.token_id is 'of an application secret or a service token';
comment on column iam.rate_limit_bucket.granted is 'by the last statement, for its own answer';

select postrider.grant_to_runtime('select, insert, update, delete', 'event.daily_quota'),
       postrider.grant_to_runtime('select, insert, update, delete', 'iam.rate_limit_bucket');
