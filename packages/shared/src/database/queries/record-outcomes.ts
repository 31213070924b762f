import { boolArray, byteaArray, int2Array, int4Array, int8Array, textArray, uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** The end of one leased attempt, as it goes into the log, and the retry that follows it. */
export interface OutcomeToRecord {
  readonly applicationId: string;
  readonly requestAttemptId: string;
  readonly leaseId: string;
  readonly succeeded: boolean;
  /** Null when nothing was sent; then there is no response. */
  readonly elapsedMs: number | null;
  readonly errorName: string | null;
  readonly httpCode: number | null;
  readonly responseHeaders: Readonly<Record<string, string>> | null;
  readonly responseBody: Buffer | null;
  readonly responseBodyTruncated: boolean;
  /** Null when no retry follows. */
  readonly retryDelayMs: number | null;
  /** The retry_count of the retry; null when no retry follows. */
  readonly retryCount: number | null;
  /** Why no retry follows a failure; null otherwise. */
  readonly reason: string | null;
}

/**
 * Moves attempts from the queue to the log with their outcomes and inserts their retries, in one statement, fenced by the leases.
 * Returns the ids of those recorded: one that is missing had lost its lease, and nothing of it was written.
 * Fails with a missing partition (see `isMissingPartition`) when today has none.
 */
export async function recordOutcomes(db: Database, outcomes: readonly OutcomeToRecord[]): Promise<Set<string>> {
  const hasRetries = outcomes.some(({ retryDelayMs }) => retryDelayMs !== null);
  const lost = await db.queryText({
    ...(hasRetries ? withRetries : withoutRetries),
    values: [
      uuidArray(outcomes.map(applicationIdOf)),
      uuidArray(outcomes.map(requestAttemptIdOf)),
      uuidArray(outcomes.map(leaseIdOf)),
      boolArray(outcomes.map(succeededOf)),
      int4Array(outcomes.map(elapsedMsOf)),
      textArray(outcomes.map(errorNameOf)),
      int2Array(outcomes.map(httpCodeOf)),
      textArray(outcomes.map(responseHeadersOf)),
      byteaArray(outcomes.map(responseBodyOf)),
      boolArray(outcomes.map(responseBodyTruncatedOf)),
      int8Array(outcomes.map(retryDelayMsOf)),
      int2Array(outcomes.map(retryCountOf)),
      textArray(outcomes.map(reasonOf)),
    ],
  });
  const recorded = new Set(outcomes.map(requestAttemptIdOf));
  for (const [requestAttemptId] of lost) {
    recorded.delete(requestAttemptId ?? '');
  }
  return recorded;
}

// Functions that stay: of those that are made anew for each group, what V8 has compiled is lost with every full collection.
const applicationIdOf = (outcome: OutcomeToRecord): string => outcome.applicationId;
const requestAttemptIdOf = (outcome: OutcomeToRecord): string => outcome.requestAttemptId;
const leaseIdOf = (outcome: OutcomeToRecord): string => outcome.leaseId;
const succeededOf = (outcome: OutcomeToRecord): boolean => outcome.succeeded;
const elapsedMsOf = (outcome: OutcomeToRecord): number | null => outcome.elapsedMs;
const errorNameOf = (outcome: OutcomeToRecord): string | null => outcome.errorName;
const httpCodeOf = (outcome: OutcomeToRecord): number | null => outcome.httpCode;
const responseHeadersOf = ({ responseHeaders }: OutcomeToRecord): string | null => responseHeaders && JSON.stringify(responseHeaders);
const responseBodyOf = (outcome: OutcomeToRecord): Buffer | null => outcome.responseBody;
const responseBodyTruncatedOf = (outcome: OutcomeToRecord): boolean => outcome.responseBodyTruncated;
const retryDelayMsOf = (outcome: OutcomeToRecord): number | null => outcome.retryDelayMs;
const retryCountOf = (outcome: OutcomeToRecord): number | null => outcome.retryCount;
const reasonOf = (outcome: OutcomeToRecord): string | null => outcome.reason;

// The delete decides: what it did not find under its lease is neither logged nor retried. Its rows are found by one look-up in the primary
// key each, and deleted by ctid. Joined to the outcomes instead, a plan that is cached while the queue is empty reads the whole queue once it
// is full: a scalar subquery cannot be turned around. The lease is compared again, since a row may change between look-up and lock.
// Only what was lost is returned: mostly nothing, and rows that nobody reads cost both sides.
// Arrays are unnested where columns are listed, side by side: behind "from" PostgreSQL sets down each of them first, a twentieth of the statement.
// Behind sub-selects the planner does not see how long the arrays are. Where it does, a plan for one or two rows looks cheaper than the one that
// is kept for all values, and it plans such a group anew each time, which is two thirds of the work.
const ended = `
with outcome as materialized (
  select unnest((select $1::uuid[])) as application_id, unnest((select $2::uuid[])) as request_attempt_id, unnest((select $3::uuid[])) as lease_id,
         unnest((select $4::boolean[])) as succeeded, unnest((select $5::integer[])) as elapsed_ms, unnest((select $6::text[])) as error_name,
         unnest((select $7::smallint[])) as http_code, unnest((select $8::text[])) as response_headers,
         unnest((select $9::bytea[])) as response_body, unnest((select $10::boolean[])) as response_body_truncated,
         unnest((select $11::bigint[])) as retry_delay_ms, unnest((select $12::smallint[])) as next_retry_count,
         unnest((select $13::text[])) as reason
),
removed as (
  delete from webhook.open_attempt
  where ctid = any (array(
      select (
        select a.ctid
        from webhook.open_attempt a
        where a.application_id = o.application_id and a.request_attempt_id = o.request_attempt_id and a.lease_id = o.lease_id
      )
      from outcome o
    ))
    and lease_id = any (array(select distinct lease_id from outcome))
  returning application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, picked_at,
            worker_process_id, retry_count, event_type_name, payload_bytes, is_test, lease_id
),
ended as (
  select r.*, o.succeeded, o.elapsed_ms, o.error_name, o.http_code, o.response_headers, o.response_body, o.response_body_truncated,
         o.retry_delay_ms, o.next_retry_count, o.reason
  from removed r
  join outcome o on o.request_attempt_id = r.request_attempt_id and o.application_id = r.application_id and o.lease_id = r.lease_id
)`;

const logged = `
logged as (
  insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                        picked_at, finished_at, succeeded_at, failed_at, worker_process_id, retry_count, http_code,
                                        elapsed_ms, response_body_truncated, event_type_name, reason, error_name, response_headers,
                                        response_body)
  select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, picked_at,
         statement_timestamp(), case when succeeded then statement_timestamp() end, case when not succeeded then statement_timestamp() end,
         worker_process_id, retry_count, http_code, elapsed_ms, response_body_truncated, event_type_name,
         case when retry_delay_ms is not null and not is_retried then 'cancelled' else reason end,
         error_name, response_headers::jsonb, response_body
  from settled
)
select lost.request_attempt_id
from (select unnest($2::uuid[]) as request_attempt_id where (select count(*) from removed) < cardinality($2::uuid[])) lost
where not exists (select from removed r where r.request_attempt_id = lost.request_attempt_id)
`;

// A group without a retry, as most are: nothing is asked of subscriptions, and no row is set down once more to be read twice, which spares the
// database a tenth of the statement.
const withoutRetries = {
  name: 'record_outcomes',
  text: `${ended},
settled as (
  select *, false as is_retried
  from ended
),${logged}`,
};

// A retry goes where its subscription belongs now, and is not made when the subscription was disabled or deleted, or the attempt cancelled.
const withRetries = {
  name: 'record_outcomes_with_retries',
  text: `${ended},
settled as materialized (
  select e.*, s.pool_id, case when coalesce(s.paused_at, s.parked_at) is null or e.is_test then 0 else 1 end as lane,
         e.retry_delay_ms is not null and s.pool_id is not null as is_retried
  from ended e
  left join webhook.subscription s
    on e.retry_delay_ms is not null and s.subscription_id = e.subscription_id
    and s.disabled_at is null and s.deleted_at is null and e.created_at > s.cancelled_until
),
retry as (
  insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                    payload_bytes, pool_id, lane, retry_count, event_type_name, is_test)
  select application_id, webhook.new_request_attempt_id(statement_timestamp()), event_id, event_received_at, subscription_id,
         statement_timestamp(), statement_timestamp() + retry_delay_ms * interval '1 millisecond', payload_bytes, pool_id,
         lane, next_retry_count, event_type_name, is_test
  from settled
  where is_retried
),${logged}`,
};
