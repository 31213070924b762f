import type { Database } from '../pool.ts';
import type { EventRow } from './list-events.ts';

export interface EventWithPayloadRow extends EventRow {
  readonly payload: Buffer;
}

/** An event with its payload. Its key tells the partition. */
export async function findEvent(db: Database, applicationId: string, eventId: string): Promise<EventWithPayloadRow | undefined> {
  const { rows } = await db.query<EventWithPayloadRow>({ name: 'find_event', text: sql, values: [applicationId, eventId] });
  return rows[0];
}

const sql = `
select e.event_id, e.event_type_name, e.payload_content_type, host(e.ip) as ip, e.metadata, e.labels, e.occurred_at, e.received_at, e.payload
from event.event_key k
join event.event e on e.application_id = k.application_id and e.received_at = k.received_at and e.event_id = k.event_id
where k.application_id = $1 and k.event_id = $2
`;
