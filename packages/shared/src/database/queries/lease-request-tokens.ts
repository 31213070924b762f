import type { BucketLimit } from '../../domain/token-bucket.ts';
import { type Database, onlyRow } from '../pool.ts';

export interface RequestTokens {
  readonly granted: number;
  /** Whole tokens that are left. */
  readonly remaining: number;
  readonly full_in_ms: number;
  /** Until there is a token to take; 0 when there is one. */
  readonly next_in_ms: number;
}

/**
 * Takes up to so many tokens out of the bucket of an application secret or service token, by the clock of the database and in one statement:
 * instances that ask at once wait for each other's commits and share what is there.
 */
export async function leaseRequestTokens(db: Database, tokenId: string, wanted: number, limit: BucketLimit): Promise<RequestTokens> {
  return onlyRow(
    await db.query<RequestTokens>({ name: 'lease_request_tokens', text: sql, values: [tokenId, wanted, limit.burst, limit.periodMs] }),
  );
}

// Served by rate_limit_bucket_pkey. The same arithmetic as domain/token-bucket.ts: a bucket is the time at which it is full, and one that is
// new is full. The clock is read once the row is locked, where statement_timestamp() would be that of before the wait.
const sql = `
insert into iam.rate_limit_bucket as b (token_id, granted, full_at)
select $1::uuid, least($2::integer, $3::integer), clock_timestamp() + least($2::integer, $3::integer) * $4::float8 * interval '1 millisecond'
on conflict on constraint rate_limit_bucket_pkey do update
set (granted, full_at) = (
  select g.granted, g.from_at + g.granted * $4 * interval '1 millisecond'
  from (
    select f.from_at,
           greatest(0, least($2, floor($3 - extract(epoch from f.from_at - f.now)::float8 * 1000 / $4 + 1e-6)))::integer as granted
    from (select c.now, greatest(b.full_at, c.now) as from_at from (select clock_timestamp() as now offset 0) c) f
  ) g
)
returning granted,
  greatest(0, floor($3 - extract(epoch from full_at - clock_timestamp())::float8 * 1000 / $4 + 1e-6))::integer as remaining,
  greatest(0, extract(epoch from full_at - clock_timestamp())::float8 * 1000) as full_in_ms,
  greatest(0, extract(epoch from full_at - clock_timestamp())::float8 * 1000 - ($3 - 1) * $4) as next_in_ms
`;
