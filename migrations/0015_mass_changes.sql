-- An attempt that ends with its subscription reads as failed at the same moment before and after its row is worked off.
alter table webhook.subscription add column cancelled_at timestamptz;
comment on column webhook.subscription.cancelled_at is
  'when the cancellation in force began: disabled_at or deleted_at of then, kept when the subscription is enabled again';

-- The milliseconds of an id are those that have passed, as RFC 9562 has it: rounded up, a retry would seem younger than a cancellation
-- that it was made before, and would be sent.
create or replace function webhook.new_request_attempt_id(made_at timestamptz) returns uuid
language sql volatile parallel safe as $$
  select encode(set_bit(set_bit(overlay(
    uuid_send(gen_random_uuid()) placing substring(int8send(floor(extract(epoch from made_at) * 1000)::bigint) from 3) from 1 for 6
  ), 52, 1), 53, 1), 'hex')::uuid
$$;

-- As before, but that the moment of a cancellation does not change when the row is worked off, and that nobody is named as having picked
-- up an attempt that was never sent. Queue and log stand in the from clause: in a with clause they would keep the planner from reading
-- the newest rows by index, and every page of a list would read the whole queue.
create or replace view webhook.request_attempt with (security_invoker = true) as
select
  a.application_id,
  a.request_attempt_id,
  a.event_id,
  a.event_received_at,
  a.event_type_name,
  a.subscription_id,
  s.description as subscription_description,
  a.retry_count,
  a.created_at,
  case when a.due_at > a.created_at then a.due_at end as delay_until,
  case when cancelled.at is null then a.picked_at end as picked_at,
  a.succeeded_at,
  coalesce(a.failed_at, cancelled.at) as failed_at,
  coalesce(a.reason, case when cancelled.at is not null then 'cancelled' end) as reason,
  case
    when a.succeeded_at is not null then 'successful'
    when a.failed_at is not null or cancelled.at is not null then 'failed'
    when a.leased_until > statement_timestamp() then 'in_progress'
    when a.due_at > statement_timestamp() then 'waiting'
    else 'pending'
  end as status,
  a.error_name,
  a.http_code as http_response_status,
  a.elapsed_ms,
  case when a.elapsed_ms is not null then a.request_attempt_id end as response_id,
  case when cancelled.at is null then p.name end as worker_name,
  case when cancelled.at is null then p.version end as worker_version
from (
  select
    application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, retry_count, created_at, due_at,
    picked_at, leased_until, null::timestamptz as succeeded_at, null::timestamptz as failed_at, null::text as reason,
    worker_process_id, null::smallint as http_code, null::text as error_name, null::integer as elapsed_ms
  from webhook.open_attempt
  union all
  select
    application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, retry_count, created_at, due_at,
    picked_at, null::timestamptz, succeeded_at, failed_at, reason,
    worker_process_id, http_code, error_name, elapsed_ms
  from webhook.finished_attempt
) a
left join webhook.subscription s on s.subscription_id = a.subscription_id
left join webhook.worker_process p on p.worker_process_id = a.worker_process_id
cross join lateral (
  select case
    when a.succeeded_at is null and a.failed_at is null and coalesce(a.leased_until <= statement_timestamp(), true)
      and (s.disabled_at is not null or s.deleted_at is not null or a.created_at <= s.cancelled_until)
    then greatest(a.created_at, coalesce(s.cancelled_at, s.disabled_at, s.deleted_at, s.cancelled_until))
  end as at
) cancelled;
