import { boolArray, uuidArray } from '../binary-array.ts';
import { type ClaimedAttempt, claimedAttempt } from '../claimed-attempt-row.ts';
import type { Database } from '../pool.ts';
import type { PassedOverSubscription } from './load-passed-over-subscriptions.ts';

/** Attempts to pass over although they are due: what stands at one position belongs to one subscription. */
export interface SkippedAttempts {
  readonly subscriptionIds: readonly string[];
  /** Those made up to this time, as PostgreSQL writes it. */
  readonly cancelledUntil: readonly string[];
  /** All but samples. */
  readonly isPaused: readonly boolean[];
}

export interface Claim {
  readonly poolId: number;
  readonly lane: number;
  readonly leaseId: string;
  readonly leaseMs: number;
  readonly limit: number;
  readonly workerProcessId: number;
  /** Where the scan of due times begins, in microseconds since 1970; 0 for a full scan. */
  readonly dueFromMicros: number;
  readonly skipped?: SkippedAttempts;
}

export interface ClaimedBatch {
  readonly attempts: readonly ClaimedAttempt[];
  /** Attempts that were due and looked at, claimed or not: as many as the limit when there may be more. */
  readonly seen: number;
  /** The latest due time among those, in microseconds since 1970; null when there were none. */
  readonly dueUntilMicros: number | null;
  /** Subscriptions of which attempts were found that are cancelled or to be parked; those were left alone. */
  readonly passedOver: readonly PassedOverSubscription[];
}

/**
 * Leases due attempts of one pool and lane to one worker process, oldest due first. Fewer than asked for does not mean that the queue
 * is empty: rows that others hold are skipped.
 */
export async function claimRequestAttempts(db: Database, claim: Claim): Promise<ClaimedBatch> {
  const rows = await db.queryText({
    name: 'claim_request_attempts',
    text: sql,
    values: [
      claim.poolId,
      claim.lane,
      claim.dueFromMicros,
      claim.limit,
      claim.leaseId,
      claim.leaseMs,
      claim.workerProcessId,
      uuidArray(claim.skipped?.subscriptionIds ?? []),
      claim.skipped?.cancelledUntil ?? [],
      boolArray(claim.skipped?.isPaused ?? []),
    ],
  });
  const [first] = rows;
  return {
    attempts: rows.filter((row) => row[0] !== null).map(claimedAttempt),
    seen: first ? Number(first[11]) : 0,
    dueUntilMicros: first ? Number(first[10]) : null,
    passedOver: rows
      .filter((row) => row[0] === null)
      .map((row) => ({
        subscriptionId: row[5] ?? '',
        cancelledUntil: row[12] ?? '',
        isPaused: row[14] === 't',
        asOfMicros: Number(row[13]),
      })),
  };
}

// Served by open_attempt_claim: one pool and one lane by equality, since `= any` over several reads the whole queue.
// The materialized selection is a fence: without it the planner may update more rows than the limit.
// What is skipped is compared row by row: joined, the rows would be sorted before the limit counts.
// An attempt that is cancelled reads as failed already and must not seem to be in progress again, and one whose subscription is paused or
// parked would only be put back: their subscriptions are looked up for the few that are due, and they are left to the mass change that is working them
// off. A sample goes out while its subscription is paused, unless it is cancelled. While there is no mass change, the first condition costs
// one look at an index that is empty.
// The update finds its rows by ctid: joined by id, a cached plan becomes a hash join over the whole queue.
const sql = `
with due as materialized (
  select ctid, due_at, subscription_id, created_at, is_test
  from webhook.open_attempt
  where pool_id = $1 and lane = $2 and due_at >= timestamptz 'epoch' + $3::bigint * interval '1 microsecond' and due_at <= statement_timestamp()
    and (leased_until is null or leased_until <= statement_timestamp())
    and (array_position($8::uuid[], subscription_id) is null
         or (is_test or not ($10::boolean[])[array_position($8::uuid[], subscription_id)])
            and created_at > ($9::timestamptz[])[array_position($8::uuid[], subscription_id)])
  order by due_at
  limit $4
  for no key update skip locked
),
passed_over as materialized (
  select subscription_id, coalesce(paused_at, parked_at) is not null as is_paused,
         case when disabled_at is null and deleted_at is null then cancelled_until else 'infinity' end as cancelled_until
  from webhook.subscription
  where (select exists (select from webhook.subscription where unsettled_since is not null))
    and subscription_id = any (array(select distinct subscription_id from due)) and unsettled_since is not null
    and (disabled_at is not null or deleted_at is not null or coalesce(paused_at, parked_at) is not null or cancelled_until > '-infinity')
),
claimed as (
  update webhook.open_attempt
  set lease_id = $5, leased_until = statement_timestamp() + $6 * interval '1 millisecond', picked_at = statement_timestamp(),
      worker_process_id = $7, claim_count = claim_count + 1
  where ctid = any (array(
    select d.ctid
    from due d
    where not exists (
      select from passed_over p
      where p.subscription_id = d.subscription_id and (p.cancelled_until >= d.created_at or p.is_paused and not d.is_test)
    )
  ))
  returning application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, payload_bytes, retry_count,
            claim_count, due_at, is_test
)
select application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, payload_bytes, retry_count,
       claim_count, (extract(epoch from statement_timestamp() - due_at) * 1000)::bigint,
       (select (extract(epoch from max(due_at)) * 1000000)::bigint from due), (select count(*) from due), null::timestamptz, null::bigint,
       is_test
from claimed
union all
select null, null, null, null, null, subscription_id, null, null, null, null,
       (select (extract(epoch from max(due_at)) * 1000000)::bigint from due), (select count(*) from due), cancelled_until,
       (extract(epoch from statement_timestamp()) * 1000000)::bigint, is_paused
from passed_over
`;
