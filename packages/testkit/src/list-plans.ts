import type { Database } from '@postrider/shared/database/pool';

/** Rows and index entries that were read so far, by the counters of PostgreSQL. */
export interface RowsRead {
  readonly bySequentialScans: number;
  readonly byIndexes: number;
}

/** How many rows of events, attempts and healths some work reads. The database has one connection, and nobody else is at work in it. */
export async function countRowsRead(db: Database, work: () => Promise<unknown>): Promise<RowsRead> {
  const before = await readCounters(db);
  await work();
  const after = await readCounters(db);
  return {
    bySequentialScans: after.bySequentialScans - before.bySequentialScans,
    byIndexes: after.byIndexes - before.byIndexes,
  };
}

async function readCounters(db: Database): Promise<RowsRead> {
  await db.query({ text: 'select pg_stat_force_next_flush()' });
  const { rows } = await db.query<{ sequential: string; indexed: string }>({ text: sql });
  return { bySequentialScans: Number(rows[0]?.sequential), byIndexes: Number(rows[0]?.indexed) };
}

const tables = "'^(event|event_[0-9].*|finished_attempt.*|open_attempt|event_key|subscription_health)$'";

const sql = `
select (select sum(seq_tup_read) from pg_stat_user_tables where relname ~ ${tables}) as sequential,
       (select sum(idx_tup_read) from pg_stat_user_indexes where relname ~ ${tables}) as indexed
`;
