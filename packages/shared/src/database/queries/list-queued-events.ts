import type { Database } from '../pool.ts';
import type { ListedEventRow } from './list-events.ts';
import type { EventStatus } from './load-event-statuses.ts';

/** Where lists go on that are not walked through the events themselves. */
export interface EventSelection {
  readonly applicationId: string;
  /** Null for all types. */
  readonly eventTypeNames: readonly string[] | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly after: { readonly receivedAt: Date; readonly eventId: string } | null;
  readonly limit: number;
}

/** Events that are waiting, pending or in progress, newest first. For short queues: all of the application's is read. */
export async function listQueuedEvents(
  db: Database,
  selection: EventSelection & { readonly statuses: readonly EventStatus[] },
): Promise<ListedEventRow[]> {
  const { rows } = await db.query<ListedEventRow>({
    text: sql,
    values: [
      selection.applicationId,
      selection.eventTypeNames,
      selection.since,
      selection.until,
      JSON.stringify(selection.labels),
      selection.after?.receivedAt ?? null,
      selection.after?.eventId ?? null,
      selection.limit,
      selection.statuses,
    ],
  });
  return rows;
}

// Planned for its values. Served by open_attempt_pkey, then one look-up in event_by_application for each event. The states are those of
// load-event-statuses.ts.
const sql = `
with opened as (
  select o.event_received_at, o.event_id,
         case
           when o.leased_until > statement_timestamp() then 'in_progress'
           when s.deleted_at is not null or s.disabled_at is not null or o.created_at <= s.cancelled_until then null
           when o.due_at > statement_timestamp() then 'waiting'
           else 'pending'
         end as state
  from webhook.open_attempt o
  left join webhook.subscription s on s.subscription_id = o.subscription_id
  where o.application_id = $1
    and ($2::text[] is null or o.event_type_name = any ($2))
    and o.event_received_at >= coalesce($3::timestamptz, '-infinity')
    and o.event_received_at <= coalesce($4::timestamptz, 'infinity')
    and o.event_received_at <= coalesce($6::timestamptz, 'infinity')
    and ($6::timestamptz is null or o.event_received_at < $6 or o.event_id > $7::uuid)
),
queued as materialized (
  select event_received_at, event_id
  from opened
  group by event_received_at, event_id
  having case
      when bool_or(state = 'in_progress') then 'in_progress'
      when bool_or(state = 'pending') then 'pending'
      when bool_or(state = 'waiting') then 'waiting'
    end = any ($9::text[])
)
select e.event_id, e.event_type_name, e.payload_content_type, host(e.ip) as ip, e.metadata, e.labels, e.occurred_at, e.received_at,
       true as matches, false as is_window_end
from queued q
cross join lateral (
  select event_id, event_type_name, payload_content_type, ip, metadata, labels, occurred_at, received_at
  from event.event
  where application_id = $1 and received_at = q.event_received_at and event_id = q.event_id
  limit 1
) e
where e.labels @> $5::jsonb
order by e.received_at desc, e.event_id
limit $8
`;
