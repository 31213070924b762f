import { boolArray, int4Array, uuidArray } from '../binary-array.ts';
import { type ClaimedAttempt, claimedAttempt } from '../claimed-attempt-row.ts';
import type { Database } from '../pool.ts';

/** How many attempts of a parked subscription to claim. */
export interface ParkedShare {
  readonly subscriptionId: string;
  readonly limit: number;
  /** Its hold is over and nobody knows whether its receiver is back. */
  readonly isProbe: boolean;
}

export interface ParkedClaim {
  readonly shares: readonly ParkedShare[];
  readonly leaseId: string;
  readonly leaseMs: number;
  readonly workerProcessId: number;
}

/**
 * Leases due attempts of parked subscriptions, oldest due first, to the process that has these subscriptions. A probe is what came due last: of
 * what has failed before, the oldest would fail again and again where it is the event that is at fault. Nothing comes of a subscription that is
 * on hold, paused, or another process's meanwhile.
 */
export async function claimParkedAttempts(db: Database, claim: ParkedClaim): Promise<ClaimedAttempt[]> {
  const rows = await db.queryText({
    name: 'claim_parked_attempts',
    text: sql,
    values: [
      uuidArray(claim.shares.map(({ subscriptionId }) => subscriptionId)),
      int4Array(claim.shares.map(({ limit }) => limit)),
      boolArray(claim.shares.map(({ isProbe }) => isProbe)),
      claim.leaseId,
      claim.leaseMs,
      claim.workerProcessId,
    ],
  });
  return rows.map((row) => claimedAttempt(row, null));
}

// Served by open_attempt_by_subscription. Whatever lane a row is in: one that has not been moved yet is as good as one that has. Samples are
// in the normal lane and stay there. The update finds its rows by ctid, as in claim-request-attempts and for the same reason; the limit
// stands in lateral subqueries, so that each subscription is read no further than its share. The due time stands beside the subscription in one
// comparison: alone it lets a plan that is made while the queue is empty read open_attempt_claim from end to end.
const sql = `
with wanted as materialized (
  select w.subscription_id, w.max_rows, w.is_probe, s.cancelled_until
  from unnest($1::uuid[], $2::integer[], $3::boolean[]) as w (subscription_id, max_rows, is_probe)
  join webhook.subscription_health h on h.subscription_id = w.subscription_id
  join webhook.subscription s on s.subscription_id = w.subscription_id
  where h.worker_process_id = $6 and h.owned_until > statement_timestamp()
    and (h.hold_until is null or h.hold_until <= statement_timestamp())
    and s.paused_at is null and s.disabled_at is null and s.deleted_at is null
),
oldest as materialized (
  select d.ctid
  from wanted w
  cross join lateral (
    select a.ctid
    from webhook.open_attempt a
    where a.subscription_id = w.subscription_id and (a.subscription_id, a.due_at) <= (w.subscription_id, statement_timestamp())
      and (a.leased_until is null or a.leased_until <= statement_timestamp())
      and not a.is_test and a.created_at > w.cancelled_until
    order by a.due_at
    limit w.max_rows
    for no key update skip locked
  ) d
  where not w.is_probe
),
newest as materialized (
  select d.ctid
  from wanted w
  cross join lateral (
    select a.ctid
    from webhook.open_attempt a
    where a.subscription_id = w.subscription_id and (a.subscription_id, a.due_at) <= (w.subscription_id, statement_timestamp())
      and (a.leased_until is null or a.leased_until <= statement_timestamp())
      and not a.is_test and a.created_at > w.cancelled_until
    order by a.due_at desc
    limit w.max_rows
    for no key update skip locked
  ) d
  where w.is_probe
)
update webhook.open_attempt
set lease_id = $4, leased_until = statement_timestamp() + $5 * interval '1 millisecond', picked_at = statement_timestamp(),
    worker_process_id = $6, claim_count = claim_count + 1
where ctid = any (array(select ctid from oldest union all select ctid from newest))
returning application_id, request_attempt_id, event_id, event_received_at, event_type_name, subscription_id, payload_bytes, retry_count,
          claim_count, (extract(epoch from statement_timestamp() - due_at) * 1000)::bigint, null, null, null, null, is_test
`;
