import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface OpenAttemptCount extends QueryResultRow {
  readonly pool_id: number;
  readonly lane: number;
  readonly open: number;
  readonly due: number;
  readonly leased: number;
  /** Age of the oldest attempt that is due and not in flight; 0 when none is. */
  readonly oldest_due_age_seconds: number;
}

/** The queue by pool and lane. Reads the whole queue: callers cache it. */
export async function countOpenAttempts(db: Database): Promise<OpenAttemptCount[]> {
  const { rows } = await db.query<OpenAttemptCount>({ name: 'count_open_attempts', text: sql });
  return rows;
}

const sql = `
select pool_id, lane,
       count(*)::integer as open,
       (count(*) filter (where due_at <= statement_timestamp() and not is_leased))::integer as due,
       (count(*) filter (where is_leased))::integer as leased,
       coalesce(extract(epoch from statement_timestamp() - min(due_at) filter (where due_at <= statement_timestamp() and not is_leased)), 0)
         ::double precision as oldest_due_age_seconds
from (
  select pool_id, lane, due_at, coalesce(leased_until > statement_timestamp(), false) as is_leased
  from webhook.open_attempt
) attempt
group by pool_id, lane
order by pool_id, lane
`;
