import type { Database } from '../pool.ts';

export interface DailyEvents {
  readonly granted: number;
  /** Until the day ends, in UTC and by the clock of the database. */
  readonly day_ends_in_ms: number;
}

/**
 * Takes up to so many events out of what an organization or application may ingest today; undefined when nobody has opened its day yet, see
 * `openDailyQuota`.
 */
export async function leaseDailyEvents(db: Database, ownerId: string, wanted: number, limit: number): Promise<DailyEvents | undefined> {
  const { rows } = await db.query<DailyEvents>({ name: 'lease_daily_events', text: sql, values: [ownerId, wanted, limit] });
  return rows[0];
}

// Served by daily_quota_pkey.
const sql = `
update event.daily_quota
set granted = greatest(0, least($2::bigint, $3::bigint - used)), used = used + greatest(0, least($2::bigint, $3::bigint - used))
where owner_id = $1 and day = (statement_timestamp() at time zone 'UTC')::date
returning granted::integer,
  extract(epoch from date_trunc('day', statement_timestamp(), 'UTC') + interval '1 day' - statement_timestamp())::float8 * 1000 as day_ends_in_ms
`;
