-- UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds since 1970, the version, and the random bits of a version 4 id. New rows
-- land at the right edge of every index, and an id tells when its row was made. Bits are numbered from the least significant of each
-- byte, so 52 and 53 turn the version nibble from 4 to 7. PostgreSQL has such a function of its own from 18 on only.
create function webhook.new_request_attempt_id(made_at timestamptz) returns uuid
language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(overlay(
    uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from made_at) * 1000)::bigint) from 3) from 1 for 6
  ), 52, 1), 53, 1), 'hex')::uuid
$$;

-- The queue. A claim writes the last five columns only; no index mentions them, so that it is a HOT update and no index grows by
-- claiming. The fill factor leaves room on each page for a second version of every row.
create table webhook.open_attempt (
  application_id uuid not null,
  request_attempt_id uuid not null,
  event_id uuid not null,
  event_received_at timestamptz not null,
  subscription_id uuid not null,
  created_at timestamptz not null,
  due_at timestamptz not null,
  payload_bytes integer not null,
  pool_id integer not null,
  lane smallint not null default 0,
  retry_count smallint not null default 0,
  event_type_name text not null,
  lease_id uuid,
  leased_until timestamptz,
  picked_at timestamptz,
  worker_process_id integer,
  claim_count smallint not null default 0,
  constraint open_attempt_pkey primary key (application_id, request_attempt_id)
) with (
  fillfactor = 45,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_analyze_scale_factor = 0.02,
  autovacuum_vacuum_cost_delay = 0,
  vacuum_truncate = off
);

comment on column webhook.open_attempt.lane is '0 normal, 1 parked';

create index open_attempt_claim on webhook.open_attempt (pool_id, lane, due_at);
create index open_attempt_by_subscription on webhook.open_attempt (subscription_id, due_at);
create index open_attempt_by_event on webhook.open_attempt (event_id);

-- A cached plan made while the queue is empty must not become a sequential scan that is kept while it fills: the planner looks at the
-- size of the file, so the file is given a few hundred pages from the start, and vacuum does not truncate it (vacuum_truncate above).
insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                  payload_bytes, pool_id, event_type_name)
select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'epoch', gen_random_uuid(), 'epoch', 'epoch', 0, 0, 'none'
from generate_series(1, 8000);
delete from webhook.open_attempt;

-- The log: insert-only, with the response in the same row.
create table webhook.finished_attempt (
  application_id uuid not null,
  request_attempt_id uuid not null,
  event_id uuid not null,
  event_received_at timestamptz not null,
  subscription_id uuid not null,
  created_at timestamptz not null,
  due_at timestamptz not null,
  picked_at timestamptz,
  finished_at timestamptz not null,
  succeeded_at timestamptz,
  failed_at timestamptz,
  worker_process_id integer,
  retry_count smallint not null,
  http_code smallint,
  elapsed_ms integer,
  response_body_truncated boolean not null default false,
  event_type_name text not null,
  reason text,
  error_name text,
  response_headers jsonb,
  response_body bytea,
  constraint finished_attempt_has_one_end check (num_nonnulls(succeeded_at, failed_at) = 1)
) partition by range (finished_at);

comment on column webhook.finished_attempt.elapsed_ms is 'null when nothing was sent; then there is no response';
comment on column webhook.finished_attempt.reason is 'why a failed attempt has no successor; null when it was retried or succeeded';

create index finished_attempt_by_application on webhook.finished_attempt (application_id, request_attempt_id);
create index finished_attempt_by_subscription on webhook.finished_attempt (subscription_id, request_attempt_id);
create index finished_attempt_by_event on webhook.finished_attempt (event_id);

select postrider.grant_to_runtime('select, insert, update, delete', 'webhook.open_attempt'),
       postrider.grant_to_runtime('select, insert', 'webhook.finished_attempt');
