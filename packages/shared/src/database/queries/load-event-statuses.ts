import type { Database } from '../pool.ts';

/** What has become of an event; docs/delivery-lifecycle.md says what decides. */
export type EventStatus = 'no_match' | 'in_progress' | 'pending' | 'waiting' | 'successful' | 'failed' | 'partially_failed';

/** An event, and when it was received: nothing of it finished before. */
export interface EventReference {
  readonly event_id: string;
  readonly received_at: Date;
}

/** Statuses of some events of an application, by their ids. */
export async function loadEventStatuses(
  db: Database,
  applicationId: string,
  events: readonly EventReference[],
): Promise<Map<string, EventStatus>> {
  if (events.length === 0) {
    return new Map();
  }
  const { rows } = await db.query<{ event_id: string; status: EventStatus }>({
    text: sql,
    values: [
      applicationId,
      events.map((event) => event.event_id),
      events.map((event) => event.received_at),
      new Date(Math.min(...events.map((event) => event.received_at.getTime()))),
    ],
  });
  return new Map(rows.map((row) => [row.event_id, row.status]));
}

// Planned for its values, so that days before the oldest event leave their partitions out. Served by open_attempt_by_event and
// finished_attempt_by_event, one look-up each per event and day since. The application is compared apart from them (offset 0), so that no
// plan, made without statistics, takes its index instead. Of each subscription the last attempt tells how its delivery ended. What waits
// for a subscription that was disabled or deleted has failed already; its row follows later.
const sql = `
with wanted as (
  select event_id, received_at from unnest($2::uuid[], $3::timestamptz[]) as w (event_id, received_at)
),
attempt as (
  select a.event_id, a.subscription_id, a.request_attempt_id, false as succeeded,
         case
           when a.leased_until > statement_timestamp() then 'in_progress'
           when s.deleted_at is not null or s.disabled_at is not null or a.created_at <= s.cancelled_until then null
           when a.due_at > statement_timestamp() then 'waiting'
           else 'pending'
         end as open_state
  from wanted w
  cross join lateral (
    select application_id, event_id, subscription_id, request_attempt_id, leased_until, created_at, due_at
    from webhook.open_attempt
    where event_id = w.event_id
    offset 0
  ) a
  left join webhook.subscription s on s.subscription_id = a.subscription_id
  where a.application_id = $1
  union all
  select a.event_id, a.subscription_id, a.request_attempt_id, a.succeeded_at is not null, null
  from wanted w
  cross join lateral (
    select application_id, event_id, subscription_id, request_attempt_id, succeeded_at
    from webhook.finished_attempt
    where event_id = w.event_id and finished_at >= w.received_at and finished_at >= $4::timestamptz
    offset 0
  ) a
  where a.application_id = $1
),
delivery as (
  select event_id, bool_or(open_state = 'in_progress') as is_in_progress, bool_or(open_state = 'pending') as is_pending,
         bool_or(open_state = 'waiting') as is_waiting,
         (array_agg(succeeded order by request_attempt_id desc))[1] as is_delivered
  from attempt
  group by event_id, subscription_id
),
known as (
  select event_id,
         case
           when bool_or(is_in_progress) then 'in_progress'
           when bool_or(is_pending) then 'pending'
           when bool_or(is_waiting) then 'waiting'
           when bool_and(is_delivered) then 'successful'
           when bool_or(is_delivered) then 'partially_failed'
           else 'failed'
         end as status
  from delivery
  group by event_id
)
select w.event_id, coalesce(k.status, 'no_match') as status
from wanted w
left join known k on k.event_id = w.event_id
`;
