-- The distinct sets of workers that may deliver something, so that an attempt carries one number. 0 is all public workers.
-- Rows are never deleted: attempts of the past name them.
create table webhook.worker_pool (
  pool_id integer primary key generated always as identity,
  worker_ids uuid[] not null constraint worker_pool_worker_ids_key unique
);

insert into webhook.worker_pool (pool_id, worker_ids) overriding system value values (0, '{}');

create table webhook.worker (
  worker_id uuid primary key,
  name text not null,
  description text,
  public boolean not null,
  created_at timestamptz not null default statement_timestamp(),
  deleted_at timestamptz
);

create unique index worker_name_key on webhook.worker (name) where deleted_at is null;

-- Workers that deliver whatever an organization's subscriptions do not assign themselves.
create table webhook.organization_worker (
  organization_id uuid not null references iam.organization,
  worker_id uuid not null references webhook.worker,
  constraint organization_worker_pkey primary key (organization_id, worker_id)
);

create table webhook.subscription (
  subscription_id uuid primary key,
  application_id uuid not null references event.application,
  description text,
  labels jsonb not null,
  metadata jsonb not null,
  target_method text not null,
  target_url text not null,
  target_headers jsonb not null,
  secret_sealed bytea not null,
  pool_id integer not null default 0 references webhook.worker_pool,
  created_at timestamptz not null default statement_timestamp(),
  updated_at timestamptz not null default statement_timestamp(),
  disabled_at timestamptz,
  disabled_reason text,
  deleted_at timestamptz,
  -- Open attempts made up to this time are cancelled, also when the subscription has been enabled again since.
  cancelled_until timestamptz not null default '-infinity',
  -- When routing or life changed last, until the sweep has seen that every open attempt follows; null when all do.
  unsettled_since timestamptz,
  constraint subscription_disabled_with_reason check (disabled_at is null or disabled_reason is not null)
);

create index subscription_by_application on webhook.subscription (application_id, subscription_id) where deleted_at is null;
create index subscription_unsettled on webhook.subscription (unsettled_since) where unsettled_since is not null;

-- Read by fan-out in this key order.
create table webhook.subscription_event_type (
  application_id uuid not null,
  event_type_name text not null,
  subscription_id uuid not null references webhook.subscription,
  constraint subscription_event_type_pkey primary key (application_id, event_type_name, subscription_id)
);

create index subscription_event_type_by_subscription on webhook.subscription_event_type (subscription_id);

create table webhook.subscription_worker (
  subscription_id uuid not null references webhook.subscription,
  worker_id uuid not null references webhook.worker,
  constraint subscription_worker_pkey primary key (subscription_id, worker_id)
);

-- The roster of worker processes. Rows stay: finished attempts name the process that made them.
create table webhook.worker_process (
  worker_process_id integer primary key generated always as identity,
  name text not null,
  version text not null,
  started_at timestamptz not null default statement_timestamp(),
  last_seen_at timestamptz not null default statement_timestamp(),
  stopped_at timestamptz
);

create index worker_process_live on webhook.worker_process (last_seen_at) where stopped_at is null;

select postrider.grant_to_runtime('select, insert', 'webhook.worker_pool'),
       postrider.grant_to_runtime('select, insert, update', 'webhook.worker'),
       postrider.grant_to_runtime('select, insert, delete', 'webhook.organization_worker'),
       postrider.grant_to_runtime('select, insert, update', 'webhook.subscription'),
       postrider.grant_to_runtime('select, insert, delete', 'webhook.subscription_event_type'),
       postrider.grant_to_runtime('select, insert, delete', 'webhook.subscription_worker'),
       postrider.grant_to_runtime('select, insert, update', 'webhook.worker_process');
