-- Who changed what, when and from where: one chain of entries per organization. Entries are never changed, so that each one's hash covers
-- everything before it. Changes that belong to no organization (workers) are the chain of the installation itself, whose id is all ones.
create table iam.audit_log (
  organization_id uuid not null,
  sequence bigint not null,
  -- Milliseconds, as answers show it: what a client reads is what was hashed.
  recorded_at timestamptz not null,
  actor_kind text not null
    constraint audit_log_actor_kind_known check (actor_kind in ('master', 'application_secret', 'service_token', 'system')),
  actor_id uuid,
  ip inet,
  request_id text,
  action text not null,
  target_kind text not null,
  target_id text not null,
  application_id uuid,
  changes jsonb not null constraint audit_log_changes_is_object check (jsonb_typeof(changes) = 'object'),
  previous_hash bytea not null constraint audit_log_previous_hash_is_sha256 check (octet_length(previous_hash) = 32),
  hash bytea not null constraint audit_log_hash_is_sha256 check (octet_length(hash) = 32),
  constraint audit_log_pkey primary key (organization_id, sequence)
);

-- Times ascend with the sequence, so that this serves lists and their bounds of time alike.
create index audit_log_by_time on iam.audit_log (organization_id, recorded_at, sequence);

-- The canonical form of an entry is the text of a JSON array as jsonb writes it; docs/audit-log.md says how to write it elsewhere.
create function iam.audit_entry_hash(entry iam.audit_log) returns bytea
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sha256(convert_to(jsonb_build_array(
    'postrider audit entry 1',
    entry.organization_id,
    entry.sequence,
    to_char(entry.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    entry.actor_kind,
    entry.actor_id,
    host(entry.ip),
    entry.request_id,
    entry.action,
    entry.target_kind,
    entry.target_id,
    entry.application_id,
    entry.changes,
    encode(entry.previous_hash, 'hex')
  )::text, 'UTF8'))
$$;

-- Number, time and hashes are the database's: who may insert can add to a chain and nothing else. The lock lasts to the end of the
-- transaction, so that the entry of a change is its last statement; each statement of this function sees what was committed before it.
create function iam.chain_audit_entry() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  last iam.audit_log;
begin
  perform pg_advisory_xact_lock(hashtextextended('postrider audit log ' || new.organization_id, 0));
  -- A client that stands still between here and its commit would keep everybody else waiting: its transaction is ended instead.
  perform set_config('idle_in_transaction_session_timeout', '15s', true);
  select * into last from iam.audit_log where organization_id = new.organization_id order by sequence desc limit 1;
  new.sequence := coalesce(last.sequence, 0) + 1;
  -- A clock that was set back must not turn the order of time and sequence round.
  new.recorded_at := date_trunc('milliseconds', greatest(clock_timestamp(), last.recorded_at));
  new.previous_hash := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
  new.hash := iam.audit_entry_hash(new);
  return new;
end
$$;

create trigger audit_log_chain before insert on iam.audit_log for each row execute function iam.chain_audit_entry();

create function iam.refuse_audit_change() returns trigger
language plpgsql as $$
begin
  raise exception 'the audit log is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_log_append_only before update or delete or truncate on iam.audit_log
  for each statement execute function iam.refuse_audit_change();
-- Also for sessions that say they are replicating.
alter table iam.audit_log enable always trigger audit_log_append_only;

select postrider.grant_to_runtime('select, insert', 'iam.audit_log');
select postrider.isolate_by_organization('iam.audit_log');
