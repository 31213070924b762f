import { boolArray, uuidArray } from '../binary-array.ts';
import { type ClaimedAttempt, claimedAttempt } from '../claimed-attempt-row.ts';
import { type LoadedEvent, loadedEvent, loadedEventColumns } from '../loaded-event-row.ts';
import type { Database, TextRow } from '../pool.ts';
import { isRefusedData } from '../postgres-errors.ts';
import type { PassedOverSubscription } from './load-passed-over-subscriptions.ts';

/** Attempts to pass over although they are due: what stands at one position belongs to one subscription. */
export interface SkippedAttempts {
  readonly subscriptionIds: readonly string[];
  /** Those made up to this time, as PostgreSQL writes it. */
  readonly cancelledUntil: readonly string[];
  /** All but samples. */
  readonly isPaused: readonly boolean[];
}

/** Which payloads come with the attempts. */
export interface PayloadsWanted {
  /** A moment of the day, in UTC, on which their events were received; in milliseconds since 1970. */
  readonly receivedOnDayOf: number;
  /** Larger ones are left where they are. */
  readonly bytesMax: number;
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
  /** Left out: none. */
  readonly payloads?: PayloadsWanted;
}

export interface ClaimedBatch {
  readonly attempts: readonly ClaimedAttempt[];
  /** Attempts that were due and looked at, claimed or not: as many as the limit when there may be more. */
  readonly seen: number;
  /** The latest due time among those, in microseconds since 1970; null when there were none. */
  readonly dueUntilMicros: number | null;
  /** Milliseconds until the next attempt of the pool and lane becomes due; null when none waits, and when more may be due already. */
  readonly nextDueMs: number | null;
  /** Subscriptions of which attempts were found that are cancelled or to be parked; those were left alone. */
  readonly passedOver: readonly PassedOverSubscription[];
}

/**
 * Leases due attempts of one pool and lane to one worker process, oldest due first. Fewer than asked for does not mean that the queue
 * is empty: rows that others hold are skipped.
 */
export async function claimRequestAttempts(db: Database, claim: Claim): Promise<ClaimedBatch> {
  try {
    return await claimWith(db, claim, claim.payloads ?? noPayloads);
  } catch (error) {
    if (claim.payloads && isRefusedData(error)) {
      // Some payload is not the text that its content type says: it is not to keep others from being claimed.
      return claimWith(db, claim, noPayloads);
    }
    throw error;
  }
}

const noPayloads: PayloadsWanted = { receivedOnDayOf: 0, bytesMax: -1 };

async function claimWith(db: Database, claim: Claim, payloads: PayloadsWanted): Promise<ClaimedBatch> {
  const rows = await db.queryText({
    ...statementFor(payloads.receivedOnDayOf),
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
      payloads.bytesMax,
    ],
  });
  const summary = rows.at(-1);
  return {
    attempts: claimedFrom(rows),
    seen: Number(summary?.[11] ?? 0),
    dueUntilMicros: numberOrNull(summary?.[10]),
    nextDueMs: numberOrNull(summary?.[9]),
    passedOver: rows
      .filter((row) => row[0] === null && row[5] !== null)
      .map((row) => ({
        subscriptionId: row[5] ?? '',
        cancelledUntil: row[12] ?? '',
        isPaused: row[14] === 't',
        asOfMicros: Number(row[13]),
      })),
  };
}

function numberOrNull(text: string | null | undefined): number | null {
  return typeof text === 'string' ? Number(text) : null;
}

/** The payload of an event stands in the first of its attempts, which mostly follow each other. */
function claimedFrom(rows: readonly TextRow[]): ClaimedAttempt[] {
  const attempts: ClaimedAttempt[] = [];
  let last: ClaimedAttempt | null = null;
  for (const row of rows) {
    if (row[0] !== null) {
      const ownEvent = row[17] === null ? null : loadedEvent(row, 15);
      const event: LoadedEvent | null = last && row[2] === last.eventId && row[0] === last.applicationId ? last.event : ownEvent;
      last = claimedAttempt(row, event);
      attempts.push(last);
    }
  }
  return attempts;
}

const dayMs = 86_400_000;

/**
 * The statement of a day, which stands in its text: so the plan that is kept reads, and locks, the partition of that day alone. Were the day a
 * value, each claim would lock every partition there is, and wait behind whoever waits to drop one.
 */
function statementFor(timeMs: number): { name: string; text: string } {
  const day = dateOf(timeMs);
  return { name: `claim_request_attempts_${day}`, text: sql(day, dateOf(timeMs + dayMs)) };
}

const dateOf = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10);

// Served by open_attempt_claim: one pool and one lane by equality, since `= any` over several reads the whole queue.
// The materialized selection is a fence: without it the planner may update more rows than the limit.
// What is skipped is compared row by row: joined, the rows would be sorted before the limit counts.
// An attempt that is cancelled reads as failed already and must not seem to be in progress again, and one whose subscription is paused or
// parked would only be put back: their subscriptions are looked up for the few that are due, and they are left to the mass change that is working them
// off. A sample goes out while its subscription is paused, unless it is cancelled. While there is no mass change, the first condition costs
// one look at an index that is empty.
// The update finds its rows by ctid: joined by id, a cached plan becomes a hash join over the whole queue.
// The last row says how many rows were due and looked at, and up to when. Where that was all, it says when the next one will be due, which is one
// more look at the index.
// A payload is looked up by one descent of event_by_application, which the lateral limit keeps, and once for attempts of one event that follow
// each other: they were inserted together.
const sql = (day: string, nextDay: string): string => `
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
       claim_count, (date_part('epoch', statement_timestamp() - due_at) * 1000)::bigint, null::bigint, null::bigint, null::timestamptz,
       null::bigint, is_test, ${loadedEventColumns}
from (
  select *, lag(event_id) over () is distinct from event_id or lag(application_id) over () is distinct from application_id as is_first
  from claimed
) c
left join lateral (
  select payload, payload_content_type, payload_content_type = 'application/json' as is_text
  from event.event
  where c.is_first and application_id = c.application_id and received_at = c.event_received_at and event_id = c.event_id and c.payload_bytes <= $11
    and received_at >= timestamptz '${day} 00:00+00' and received_at < timestamptz '${nextDay} 00:00+00'
  limit 1
) e on true
union all
select null, null, null, null, null, subscription_id, null, null, null, null, null, null, cancelled_until,
       (extract(epoch from statement_timestamp()) * 1000000)::bigint, is_paused, null, null, null
from passed_over
union all
select null, null, null, null, null, null, null, null, null,
       case when count(*) < $4 then (
         select ceil(extract(epoch from due_at - statement_timestamp()) * 1000)::bigint
         from webhook.open_attempt
         where pool_id = $1 and lane = $2 and due_at > statement_timestamp()
         order by due_at
         limit 1
       ) end,
       (extract(epoch from max(due_at)) * 1000000)::bigint, count(*), null, null, null, null, null, null
from due
`;
