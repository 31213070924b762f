import { type Database, onlyRow } from '../pool.ts';

/**
 * Counts the events of the last days anew, and those of days that ended for good. False when another instance is doing so, or has done so
 * within `freshForMs`.
 */
export async function refreshEventsPerDay(db: Database, freshForMs: number): Promise<boolean> {
  const text = "select event.refresh_events_per_day($1 * interval '1 millisecond') as is_refreshed";
  return onlyRow(await db.query<{ is_refreshed: boolean }>({ name: 'refresh_events_per_day', text, values: [freshForMs] })).is_refreshed;
}
