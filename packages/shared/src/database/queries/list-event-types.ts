import type { Database } from '../pool.ts';

export interface EventTypeRow {
  readonly service: string;
  readonly resource_type: string;
  readonly verb: string;
  readonly event_type_name: string;
}

/** The active event types of an application by name; all of them, or those of the given names. */
export async function listEventTypes(db: Database, applicationId: string, names: readonly string[] | null = null): Promise<EventTypeRow[]> {
  const { rows } = await db.query<EventTypeRow>({ name: 'list_event_types', text: sql, values: [applicationId, names] });
  return rows;
}

const sql = `
select service, resource_type, verb, event_type_name
from event.event_type
where application_id = $1 and deactivated_at is null and ($2::text[] is null or event_type_name = any ($2))
order by event_type_name
`;
