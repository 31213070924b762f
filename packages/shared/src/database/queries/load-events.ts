import { textArray, uuidArray } from '../binary-array.ts';
import { type LoadedEvent, loadedEvent, loadedEventColumns } from '../loaded-event-row.ts';
import type { Database } from '../pool.ts';
import { isRefusedData } from '../postgres-errors.ts';

/** Which event to load; `receivedAt` as PostgreSQL wrote it. */
export interface EventReference {
  readonly applicationId: string;
  readonly eventId: string;
  readonly receivedAt: string;
}

/** The payloads of events, each at the place where it was asked for; those that are gone are left out. */
export async function loadEvents(db: Database, events: readonly EventReference[]): Promise<(LoadedEvent | undefined)[]> {
  try {
    return await load(db, events, true);
  } catch (error) {
    if (isRefusedData(error)) {
      // Some payload is not the text that its content type says: one such row must not keep all others from being delivered.
      return load(db, events, false);
    }
    throw error;
  }
}

async function load(db: Database, events: readonly EventReference[], jsonAsText: boolean): Promise<(LoadedEvent | undefined)[]> {
  const receivedAts = events.map(receivedAtOf);
  const rows = await db.queryText({
    text: sql,
    values: [
      uuidArray(events.map(applicationIdOf)),
      uuidArray(events.map(eventIdOf)),
      // As text in binary form: pg would quote and escape each element of an array of its own.
      textArray(receivedAts),
      receivedAts.reduce(earlier),
      receivedAts.reduce(later),
      jsonAsText,
    ],
  });
  const loaded = Array.from<LoadedEvent | undefined>({ length: events.length });
  for (const row of rows) {
    loaded[Number(row[0]) - 1] = loadedEvent(row, 1);
  }
  return loaded;
}

// Functions that stay: of those that are made anew for each group, what V8 has compiled is lost with every full collection.
const applicationIdOf = (event: EventReference): string => event.applicationId;
const eventIdOf = (event: EventReference): string => event.eventId;
const receivedAtOf = (event: EventReference): string => event.receivedAt;
const earlier = (a: string, b: string): string => (b < a ? b : a);
const later = (a: string, b: string): string => (b > a ? b : a);

// Planned anew for its values: the bounds of received_at then leave the one or two partitions that the group is in, where a cached plan
// opens all of them. The lateral limit keeps the look-up an index scan per event (event_by_application).
const sql = `
select wanted.place, ${loadedEventColumns}
from unnest($1::uuid[], $2::uuid[], $3::text[]::timestamptz[]) with ordinality as wanted (application_id, event_id, received_at, place)
cross join lateral (
  select payload, payload_content_type, $6::boolean and payload_content_type = 'application/json' as is_text
  from event.event
  where application_id = wanted.application_id and received_at = wanted.received_at and event_id = wanted.event_id
    and received_at between $4::timestamptz and $5::timestamptz
  limit 1
) e
`;
