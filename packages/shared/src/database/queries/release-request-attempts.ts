import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';
import type { LeasedAttempt } from './renew-leases.ts';

/**
 * Gives claimed attempts that were not started back to the queue, parked when their subscription is paused or parked now; returns the ids of those
 * whose lease still held.
 */
export async function releaseRequestAttempts(db: Database, attempts: readonly LeasedAttempt[]): Promise<Set<string>> {
  const rows = await db.queryText({
    name: 'release_request_attempts',
    text: sql,
    values: [
      uuidArray(attempts.map((attempt) => attempt.applicationId)),
      uuidArray(attempts.map((attempt) => attempt.requestAttemptId)),
      uuidArray(attempts.map((attempt) => attempt.leaseId)),
    ],
  });
  return new Set(rows.map((row) => row[0] ?? ''));
}

// Rows are found as in record-outcomes, for the same reason. A lane that stays as it was keeps the update HOT.
const sql = `
with leased as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as l (application_id, request_attempt_id, lease_id)
)
update webhook.open_attempt
set lease_id = null, leased_until = null, picked_at = null, worker_process_id = null, claim_count = claim_count - 1,
    lane = case
      when not is_test and exists (
        select from webhook.subscription s
        where s.subscription_id = open_attempt.subscription_id and coalesce(s.paused_at, s.parked_at) is not null
      ) then 1
      else lane
    end
where ctid = any (array(
    select (
      select a.ctid
      from webhook.open_attempt a
      where a.application_id = l.application_id and a.request_attempt_id = l.request_attempt_id and a.lease_id = l.lease_id
    )
    from leased l
  ))
  and lease_id = any ($3::uuid[])
returning request_attempt_id
`;
