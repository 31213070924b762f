-- How a subscription wants to be delivered to; null leaves it to the settings of the workers.
alter table webhook.subscription
  add column retry_schedule jsonb,
  add column timeout_ms integer,
  add column in_flight_max integer,
  add column rate_requests integer,
  add column rate_period_ms integer,
  add constraint subscription_timeout_positive check (timeout_ms > 0),
  add constraint subscription_in_flight_positive check (in_flight_max > 0),
  add constraint subscription_rate_positive check (rate_requests > 0 and rate_period_ms > 0),
  add constraint subscription_rate_whole check (num_nulls(rate_requests, rate_period_ms) <> 1);

comment on column webhook.subscription.retry_schedule is '{"delaysMs": [...]}, or the numbers of fast and slow retries by their names';
comment on column webhook.subscription.in_flight_max is 'per worker';
