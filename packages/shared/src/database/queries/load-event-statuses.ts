import type { Database } from '../pool.ts';

/** What has become of an event: the state that comes first here of all its deliveries decides, then how they ended. */
export type EventStatus = 'no_match' | 'in_progress' | 'pending' | 'waiting' | 'successful' | 'failed' | 'partially_failed';

export interface EventStatusQuery {
  readonly applicationId: string;
  readonly eventIds: readonly string[];
  /** When the oldest of them was received: nothing of theirs finished before. */
  readonly receivedSince: Date;
}

/** Statuses of some events of an application. */
export async function loadEventStatuses(db: Database, query: EventStatusQuery): Promise<Map<string, EventStatus>> {
  const { rows } = await db.query<{ event_id: string; status: EventStatus }>({
    text: sql,
    values: [query.applicationId, query.eventIds, query.receivedSince],
  });
  const known = new Map(rows.map((row) => [row.event_id, row.status]));
  return new Map(query.eventIds.map((eventId) => [eventId, known.get(eventId) ?? 'no_match']));
}

// Planned for its values, so that days before the events leave their partitions out. Served by open_attempt_by_event and
// finished_attempt_by_event, one look-up each per event and day. Of each subscription the last attempt tells how its delivery ended. What
// waits for a subscription that was disabled or deleted has failed already; its row follows later.
const sql = `
with attempt as (
  select a.event_id, a.subscription_id, a.request_attempt_id, false as succeeded,
         case
           when a.leased_until > statement_timestamp() then 'in_progress'
           when s.deleted_at is not null or s.disabled_at is not null or a.created_at <= s.cancelled_until then null
           when a.due_at > statement_timestamp() then 'waiting'
           else 'pending'
         end as open_state
  from webhook.open_attempt a
  left join webhook.subscription s on s.subscription_id = a.subscription_id
  where a.application_id = $1 and a.event_id = any ($2::uuid[])
  union all
  select event_id, subscription_id, request_attempt_id, succeeded_at is not null, null
  from webhook.finished_attempt
  where application_id = $1 and event_id = any ($2::uuid[]) and finished_at >= $3
),
delivery as (
  select event_id, bool_or(open_state = 'in_progress') as is_in_progress, bool_or(open_state = 'pending') as is_pending,
         bool_or(open_state = 'waiting') as is_waiting,
         (array_agg(succeeded order by request_attempt_id desc))[1] as is_delivered
  from attempt
  group by event_id, subscription_id
)
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
`;
