create table iam.organization (
  organization_id uuid primary key,
  name text not null,
  created_at timestamptz not null default statement_timestamp(),
  deleted_at timestamptz
);

create table event.application (
  application_id uuid primary key,
  organization_id uuid not null references iam.organization,
  name text not null,
  created_at timestamptz not null default statement_timestamp(),
  deleted_at timestamptz
);

create index application_by_organization on event.application (organization_id, application_id);

-- A token is found by its SHA-256 and shown again by unsealing it: the database alone can do neither.
create table iam.application_secret (
  application_secret_id uuid primary key,
  application_id uuid not null references event.application,
  name text,
  token_hash bytea not null constraint application_secret_token_hash_is_sha256 check (octet_length(token_hash) = 32),
  token_sealed bytea not null,
  created_at timestamptz not null default statement_timestamp(),
  deleted_at timestamptz
);

create unique index application_secret_by_token on iam.application_secret (token_hash);
create index application_secret_by_application on iam.application_secret (application_id, created_at);

select postrider.grant_to_runtime('select, insert, update', 'iam.organization'),
       postrider.grant_to_runtime('select, insert, update', 'event.application'),
       postrider.grant_to_runtime('select, insert, update', 'iam.application_secret');
