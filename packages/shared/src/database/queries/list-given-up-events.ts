import type { Database } from '../pool.ts';
import type { ListedEventRow } from './list-events.ts';
import type { EventSelection } from './list-queued-events.ts';

/** Events with an attempt that failed for good, newest first; those of other types and labels are there too, and don't match. */
export async function listGivenUpEvents(db: Database, selection: EventSelection): Promise<ListedEventRow[]> {
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
    ],
  });
  return rows;
}

// Planned for its values: what finished before the range cannot belong to it, which leaves partitions out. Served by
// finished_attempt_given_up, in its order, then one look-up in event_by_application for each event. Deliveries that are given up to many
// subscriptions of one event count once.
const sql = `
with given_up as materialized (
  select distinct event_received_at, event_id
  from webhook.finished_attempt
  where application_id = $1
    and reason is not null
    and finished_at >= coalesce($3::timestamptz, '-infinity')
    and event_received_at >= coalesce($3::timestamptz, '-infinity')
    and event_received_at <= coalesce($4::timestamptz, 'infinity')
    and event_received_at <= coalesce($6::timestamptz, 'infinity')
    and ($6::timestamptz is null or event_received_at < $6 or event_id > $7::uuid)
  order by event_received_at desc, event_id
  limit $8
)
select e.event_id, e.event_type_name, e.payload_content_type, host(e.ip) as ip, e.metadata, e.labels, e.occurred_at, e.received_at,
       e.is_wanted as matches, false as is_window_end
from given_up g
cross join lateral (
  select event_id, event_type_name, payload_content_type, ip, metadata, labels, occurred_at, received_at,
         labels @> $5::jsonb and ($2::text[] is null or event_type_name = any ($2)) as is_wanted
  from event.event
  where application_id = $1 and received_at = g.event_received_at and event_id = g.event_id
  limit 1
) e
order by e.received_at desc, e.event_id
`;
