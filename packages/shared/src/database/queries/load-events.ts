import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** Which event to load; `receivedAt` as PostgreSQL wrote it. */
export interface EventReference {
  readonly applicationId: string;
  readonly eventId: string;
  readonly receivedAt: string;
}

/** What a delivery sends of an event. */
export interface LoadedEvent {
  readonly applicationId: string;
  readonly eventId: string;
  readonly payload: Buffer;
  readonly payloadContentType: string;
}

/** The payloads of events; those that are gone are left out. */
export async function loadEvents(db: Database, events: readonly EventReference[]): Promise<LoadedEvent[]> {
  const receivedAts = events.map((event) => event.receivedAt).toSorted();
  const rows = await db.queryText({
    text: sql,
    values: [
      uuidArray(events.map((event) => event.applicationId)),
      uuidArray(events.map((event) => event.eventId)),
      events.map((event) => event.receivedAt),
      receivedAts[0],
      receivedAts.at(-1),
    ],
  });
  return rows.map((row) => ({
    applicationId: row[0] ?? '',
    eventId: row[1] ?? '',
    payload: Buffer.from((row[2] ?? '').slice(2), 'hex'),
    payloadContentType: row[3] ?? '',
  }));
}

// Planned anew for its values: the bounds of received_at then leave the one or two partitions that the group is in, where a cached plan
// opens all of them. The lateral limit keeps the look-up an index scan per event (event_by_application).
const sql = `
select wanted.application_id, wanted.event_id, e.payload, e.payload_content_type
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as wanted (application_id, event_id, received_at)
cross join lateral (
  select payload, payload_content_type
  from event.event
  where application_id = wanted.application_id and received_at = wanted.received_at and event_id = wanted.event_id
    and received_at between $4::timestamptz and $5::timestamptz
  limit 1
) e
`;
