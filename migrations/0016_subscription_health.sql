-- The attempts of a subscription in trouble are parked: they leave the lane that everybody shares and come back through a budget of their
-- own. The flag stands where fan-out and claims look anyway; what it follows from is in the narrow table below.
alter table webhook.subscription add column parked_at timestamptz;
comment on column webhook.subscription.parked_at is 'set by workers while subscription_health has a park_reason; not the same as paused';

-- One row for each subscription that fails, is held or parked, written when that changes. While its attempts are parked, one worker process
-- at a time delivers them: what it may have in flight, its rate and its probes need no further agreement.
create table webhook.subscription_health (
  subscription_id uuid constraint subscription_health_pkey primary key,
  application_id uuid not null,
  park_reason text constraint subscription_health_reason_known
    check (park_reason in ('rate', 'over_cap', 'slow', 'throttled', 'retry_after', 'failing')),
  hold_until timestamptz,
  budget integer not null,
  budget_goal integer,
  failures integer not null,
  failing_since timestamptz,
  throttling integer not null,
  holds integer not null,
  changed_at timestamptz not null default statement_timestamp(),
  worker_process_id integer,
  owned_until timestamptz
) with (fillfactor = 50);

comment on column webhook.subscription_health.park_reason is 'null while its attempts are in the normal lane';
comment on column webhook.subscription_health.budget is 'requests in flight while parked and not on hold';
comment on column webhook.subscription_health.worker_process_id is 'the process that delivers its parked attempts until owned_until';

select postrider.grant_to_runtime('select, insert, update, delete', 'webhook.subscription_health');
select postrider.isolate_by_application('webhook.subscription_health');
