-- Tokens of organizations. Found by their SHA-256 and kept sealed, as the secrets of applications are. Null restricts nothing:
-- application_ids then means all applications, those to come included, and actions all operations that the role may call.
create table iam.service_token (
  service_token_id uuid primary key,
  organization_id uuid not null references iam.organization,
  name text not null,
  role text not null constraint service_token_role_is_known check (role in ('editor', 'viewer')),
  application_ids uuid[] constraint service_token_application_ids_not_empty check (cardinality(application_ids) > 0),
  actions text[] constraint service_token_actions_not_empty check (cardinality(actions) > 0),
  token_hash bytea not null constraint service_token_token_hash_is_sha256 check (octet_length(token_hash) = 32),
  token_sealed bytea not null,
  created_at timestamptz not null default statement_timestamp(),
  expires_at timestamptz,
  deleted_at timestamptz
);

create unique index service_token_by_token on iam.service_token (token_hash);
create index service_token_by_organization on iam.service_token (organization_id, created_at);

select postrider.grant_to_runtime('select, insert, update', 'iam.service_token');
