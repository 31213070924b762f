-- Adds what keeps an attempt back that waits or is due: 'paused', or why its subscription is parked; until when nothing is sent, while that
-- lies ahead; and how often in a row the receiver has failed. A sample is never kept back. Queue and log stand in the from clause: in a
-- with clause they would keep the planner from reading the newest rows by index. Healths are looked up one by one, where they are asked for:
-- joined, all of them are read for one attempt.
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
  case when cancelled.at is null then p.version end as worker_version,
  case
    when not held.is_possible then null
    when s.paused_at is not null then 'paused'
    else (select park_reason from webhook.subscription_health where subscription_id = a.subscription_id)
  end as held_by,
  case when held.is_possible and s.paused_at is null then (
    select hold_until
    from webhook.subscription_health
    where subscription_id = a.subscription_id and park_reason is not null and hold_until > statement_timestamp()
  ) end as hold_until,
  coalesce(case when held.is_possible then (
    select failures from webhook.subscription_health where subscription_id = a.subscription_id
  ) end, 0) as receiver_failures
from (
  select
    application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, retry_count, created_at, due_at,
    picked_at, leased_until, null::timestamptz as succeeded_at, null::timestamptz as failed_at, null::text as reason,
    worker_process_id, null::smallint as http_code, null::text as error_name, null::integer as elapsed_ms, is_test
  from webhook.open_attempt
  union all
  select
    application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, retry_count, created_at, due_at,
    picked_at, null::timestamptz, succeeded_at, failed_at, reason,
    worker_process_id, http_code, error_name, elapsed_ms, false
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
) cancelled
cross join lateral (
  select a.succeeded_at is null and a.failed_at is null and cancelled.at is null and not a.is_test
    and coalesce(a.leased_until <= statement_timestamp(), true) as is_possible
) held;
