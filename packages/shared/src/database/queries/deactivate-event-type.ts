import type { Database } from '../pool.ts';

/** Deactivates an event type: events of it are refused from then on. Returns whether there was an active one. */
export async function deactivateEventType(db: Database, applicationId: string, name: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'deactivate_event_type', text: sql, values: [applicationId, name] });
  return rowCount === 1;
}

const sql = `
update event.event_type
set deactivated_at = statement_timestamp()
where application_id = $1 and event_type_name = $2 and deactivated_at is null
`;
