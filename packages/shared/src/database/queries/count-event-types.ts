import { type Database, onlyRow } from '../pool.ts';

/** How many event types an application has. */
export async function countEventTypes(db: Database, applicationId: string): Promise<number> {
  return onlyRow(await db.query<{ amount: number }>({ name: 'count_event_types', text: sql, values: [applicationId] })).amount;
}

// Served by event_type_pkey.
const sql = `
select count(*)::integer as amount from event.event_type where application_id = $1 and deactivated_at is null
`;
