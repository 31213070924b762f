-- A paused subscription keeps its attempts in the parked lane until it is resumed.
-- Secrets that were rotated out sign on until their ends; both arrays go together.
alter table webhook.subscription
  add column paused_at timestamptz,
  add column previous_secrets_sealed bytea[] not null default '{}',
  add column previous_secrets_until timestamptz[] not null default '{}',
  add constraint subscription_previous_secrets_have_ends
    check (cardinality(previous_secrets_sealed) = cardinality(previous_secrets_until));

-- A sample that somebody asked for: sent once, also while its subscription is paused.
alter table webhook.open_attempt add column is_test boolean not null default false;
