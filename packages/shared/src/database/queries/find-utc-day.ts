import { type Database, onlyRow } from '../pool.ts';

/** The day it is in UTC by the clock of the database, as `YYYY-MM-DD`. */
export async function findUtcDay(db: Database): Promise<string> {
  const text = "select to_char(statement_timestamp() at time zone 'UTC', 'YYYY-MM-DD') as day";
  return onlyRow(await db.query<{ day: string }>({ name: 'find_utc_day', text })).day;
}
