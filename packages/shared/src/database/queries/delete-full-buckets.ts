import type { Database } from '../pool.ts';

/** Deletes buckets of tokens that have been full for an hour: one that is not there is full. Returns how many. */
export async function deleteFullBuckets(db: Database): Promise<number> {
  const { rowCount } = await db.query({ name: 'delete_full_buckets', text: sql, values: [] });
  return rowCount ?? 0;
}

// Reads the table, which has a row for each token that was used in the last hour. Rows that are being updated stay for the next time.
const sql = `
delete from iam.rate_limit_bucket
where token_id in (
  select token_id from iam.rate_limit_bucket
  where full_at < statement_timestamp() - interval '1 hour'
  order by token_id
  limit 1000
  for update skip locked
)
`;
