import type { Database } from '../pool.ts';
import type { EventFilter, ListedEventRow } from './list-events.ts';

/** Events of some types by when they were received, newest first. The window is that of each type. */
export async function listEventsOfTypes(
  db: Database,
  filter: EventFilter & { readonly eventTypeNames: readonly string[] },
): Promise<ListedEventRow[]> {
  const { rows } = await db.query<ListedEventRow>({
    text: sql,
    values: [
      filter.applicationId,
      filter.eventTypeNames,
      filter.since,
      filter.until,
      JSON.stringify(filter.labels),
      filter.after?.receivedAt ?? null,
      filter.after?.eventId ?? null,
      filter.window,
      filter.offset,
      filter.limit,
    ],
  });
  return rows;
}

// As list-events.ts, for each type by event_by_type: one index scan over several types would not come in the order of time.
const sql = `
select e.event_id, e.event_type_name, e.payload_content_type, host(e.ip) as ip, e.metadata, e.labels, e.occurred_at, e.received_at,
       e.labels @> $5::jsonb as matches, e.position = $8 as is_window_end
from (select distinct name from unnest($2::text[]) name) t
cross join lateral (
  select event_id, event_type_name, payload_content_type, ip, metadata, labels, occurred_at, received_at, position
  from (
    select event_id, event_type_name, payload_content_type, ip, metadata, labels, occurred_at, received_at,
           row_number() over (order by received_at desc, event_id) as position
    from event.event
    where application_id = $1
      and event_type_name = t.name
      and received_at >= coalesce($3::timestamptz, '-infinity')
      and received_at <= coalesce($4::timestamptz, 'infinity')
      and received_at <= coalesce($6::timestamptz, 'infinity')
      and ($6::timestamptz is null or received_at < $6 or event_id > $7::uuid)
    order by received_at desc, event_id
    limit $8::integer
  ) looked_at
  where labels @> $5::jsonb or position = $8
  order by received_at desc, event_id
  limit $9::integer + $10::integer
) e
order by e.received_at desc, e.event_id
offset $9
limit $10
`;
