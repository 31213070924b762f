-- Lists of events by type, in the order that they are shown.
create index event_by_type on event.event (application_id, event_type_name, received_at desc, event_id);

-- Lists of failures: few rows where deliveries succeed, so that they cost nothing there.
create index finished_attempt_failed on webhook.finished_attempt (application_id, request_attempt_id) where failed_at is not null;
create index finished_attempt_given_up on webhook.finished_attempt (application_id, event_received_at desc, event_id)
  where reason is not null;

-- How many retries a worker makes at most; unknown for processes of earlier versions.
alter table webhook.worker_process add column retries_max integer;
