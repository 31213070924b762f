import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** A claimed attempt and the lease it was claimed under. */
export interface LeasedAttempt {
  readonly applicationId: string;
  readonly requestAttemptId: string;
  readonly leaseId: string;
}

/** Prolongs leases to `leaseMs` from now; returns the ids of those that still held. */
export async function renewLeases(db: Database, attempts: readonly LeasedAttempt[], leaseMs: number): Promise<Set<string>> {
  const rows = await db.queryText({
    name: 'renew_leases',
    text: sql,
    values: [
      uuidArray(attempts.map((attempt) => attempt.applicationId)),
      uuidArray(attempts.map((attempt) => attempt.requestAttemptId)),
      uuidArray(attempts.map((attempt) => attempt.leaseId)),
      leaseMs,
    ],
  });
  return new Set(rows.map((row) => row[0] ?? ''));
}

// Rows are found as in record-outcomes, for the same reason. A lease that has run out is not revived: another worker may be about to claim the row.
const sql = `
with leased as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as l (application_id, request_attempt_id, lease_id)
)
update webhook.open_attempt
set leased_until = statement_timestamp() + $4 * interval '1 millisecond'
where ctid = any (array(
    select (
      select a.ctid
      from webhook.open_attempt a
      where a.application_id = l.application_id and a.request_attempt_id = l.request_attempt_id and a.lease_id = l.lease_id
    )
    from leased l
  ))
  and lease_id = any ($3::uuid[]) and leased_until > statement_timestamp()
returning request_attempt_id
`;
