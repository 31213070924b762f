-- What operators read: queue and log as one, with the names of the workers and the status that follows from the times.
-- An attempt that waits for a subscription that was disabled or deleted reads as failed from that moment on; its row follows later.
create view webhook.request_attempt with (security_invoker = true) as
with attempt as (
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
)
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
  p.name as worker_name,
  p.version as worker_version
from attempt a
left join webhook.subscription s on s.subscription_id = a.subscription_id
left join webhook.worker_process p on p.worker_process_id = a.worker_process_id
cross join lateral (
  select case
    when a.succeeded_at is not null or a.failed_at is not null or a.leased_until > statement_timestamp() then null
    when s.deleted_at is not null then s.deleted_at
    when s.disabled_at is not null then s.disabled_at
    when a.created_at <= s.cancelled_until then s.cancelled_until
  end as at
) cancelled;

select postrider.grant_to_runtime('select', 'webhook.request_attempt');
