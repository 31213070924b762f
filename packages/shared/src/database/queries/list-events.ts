import type { Database } from '../pool.ts';

export interface EventRow {
  readonly event_id: string;
  readonly event_type_name: string;
  readonly payload_content_type: string;
  readonly ip: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly occurred_at: Date;
  readonly received_at: Date;
}

/** An event that was looked at for a list. */
export interface ListedEventRow extends EventRow {
  /** False for an event that does not match and only tells where the window ends. */
  readonly matches: boolean;
  /** Whether the list looked no further than this event, though there may be more. */
  readonly is_window_end: boolean;
}

export interface EventFilter {
  readonly applicationId: string;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The last event that was looked at before. */
  readonly after: { readonly receivedAt: Date; readonly eventId: string } | null;
  /** How many events are looked at. */
  readonly window: number;
  readonly offset: number;
  readonly limit: number;
}

/** Events of an application by when they were received, newest first. */
export async function listEvents(db: Database, filter: EventFilter): Promise<ListedEventRow[]> {
  const { rows } = await db.query<ListedEventRow>({
    text: sql,
    values: [
      filter.applicationId,
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

// Planned for its values, so that bounds of time leave partitions out. Served by event_by_application, in its order, and read no further
// than the limit or the window, whichever comes first. The last event of the window is returned whether it matches or not: from there
// the next page goes on.
const sql = `
select event_id, event_type_name, payload_content_type, host(ip) as ip, metadata, labels, occurred_at, received_at,
       labels @> $4::jsonb as matches, position = $7 as is_window_end
from (
  select event_id, event_type_name, payload_content_type, ip, metadata, labels, occurred_at, received_at,
         row_number() over (order by received_at desc, event_id) as position
  from event.event
  where application_id = $1
    and received_at >= coalesce($2::timestamptz, '-infinity')
    and received_at <= coalesce($3::timestamptz, 'infinity')
    and received_at <= coalesce($5::timestamptz, 'infinity')
    and ($5::timestamptz is null or received_at < $5 or event_id > $6::uuid)
  order by received_at desc, event_id
  limit $7::integer
) looked_at
where labels @> $4::jsonb or position = $7
order by received_at desc, event_id
offset $8
limit $9
`;
