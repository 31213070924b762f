create table event.event_type (
  application_id uuid not null references event.application,
  event_type_name text not null generated always as (service || '.' || resource_type || '.' || verb) stored,
  service text not null,
  resource_type text not null,
  verb text not null,
  created_at timestamptz not null default statement_timestamp(),
  deactivated_at timestamptz,
  constraint event_type_pkey primary key (application_id, event_type_name)
);

-- Idempotency for as long as the event is kept, and the way from an event id to its partition. Uniqueness is per application.
create table event.event_key (
  application_id uuid not null,
  event_id uuid not null,
  received_at timestamptz not null,
  content_hash bytea not null,
  constraint event_key_pkey primary key (application_id, event_id)
);

-- No foreign keys: keys from hot tables to one parent row cost MultiXacts. No default partition: a row without a partition is an error
-- that makes the partition and tries again, and a default one would have to be searched at every attach.
create table event.event (
  application_id uuid not null,
  event_id uuid not null,
  received_at timestamptz not null,
  occurred_at timestamptz not null,
  event_type_name text not null,
  payload bytea not null,
  payload_content_type text not null,
  labels jsonb not null,
  metadata jsonb not null,
  ip inet,
  application_secret_id uuid
) partition by range (received_at);

create index event_by_application on event.event (application_id, received_at desc, event_id);

select postrider.grant_to_runtime('select, insert, update', 'event.event_type'),
       postrider.grant_to_runtime('select, insert', 'event.event_key'),
       postrider.grant_to_runtime('select, insert', 'event.event');
