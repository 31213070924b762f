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

export interface EventFilter {
  readonly applicationId: string;
  readonly eventType: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly labels: Readonly<Record<string, string>>;
  /** The last event of the page before. */
  readonly after: { readonly receivedAt: Date; readonly eventId: string } | null;
  readonly offset: number;
  readonly limit: number;
}

/** Events of an application by when they were received, newest first. */
export async function listEvents(db: Database, filter: EventFilter): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>({
    text: sql,
    values: [
      filter.applicationId,
      filter.eventType,
      filter.since,
      filter.until,
      JSON.stringify(filter.labels),
      filter.after?.receivedAt ?? null,
      filter.after?.eventId ?? null,
      filter.offset,
      filter.limit,
    ],
  });
  return rows;
}

// Planned for its values, so that bounds of time leave partitions out. Served by event_by_application, in its order.
const sql = `
select event_id, event_type_name, payload_content_type, host(ip) as ip, metadata, labels, occurred_at, received_at
from event.event
where application_id = $1
  and ($2::text is null or event_type_name = $2)
  and received_at >= coalesce($3::timestamptz, '-infinity')
  and received_at <= coalesce($4::timestamptz, 'infinity')
  and labels @> $5::jsonb
  and received_at <= coalesce($6::timestamptz, 'infinity')
  and ($6::timestamptz is null or received_at < $6 or event_id > $7::uuid)
order by received_at desc, event_id
offset $8
limit $9
`;
