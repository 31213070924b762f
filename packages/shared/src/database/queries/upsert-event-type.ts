import { type Database, onlyRow } from '../pool.ts';
import type { EventTypeRow } from './list-event-types.ts';

export interface NewEventType {
  readonly applicationId: string;
  readonly service: string;
  readonly resourceType: string;
  readonly verb: string;
}

/** Creates an event type, or activates it again. */
export async function upsertEventType(db: Database, eventType: NewEventType): Promise<EventTypeRow> {
  const { applicationId, service, resourceType, verb } = eventType;
  return onlyRow(
    await db.query<EventTypeRow>({ name: 'upsert_event_type', text: sql, values: [applicationId, service, resourceType, verb] }),
  );
}

// Parts may contain dots, so two sets of parts can have one name: the name decides, and the latest parts win.
const sql = `
insert into event.event_type (application_id, service, resource_type, verb)
values ($1, $2, $3, $4)
on conflict on constraint event_type_pkey do update
set service = excluded.service, resource_type = excluded.resource_type, verb = excluded.verb, deactivated_at = null
returning service, resource_type, verb, event_type_name
`;
