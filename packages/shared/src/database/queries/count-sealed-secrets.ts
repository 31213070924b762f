import type { Database } from '../pool.ts';

/** Where sealed values are kept: the prefix of the context that they are sealed for. */
export type SealedKind = 'subscription' | 'application_secret' | 'service_token';

export interface SealedCount {
  readonly kind: SealedKind;
  /** In hexadecimal. */
  readonly key_id: string;
  readonly count: number;
}

/** How many values are sealed under which key, deleted rows included. Reads every row: for maintenance. */
export async function countSealedSecrets(db: Database): Promise<SealedCount[]> {
  const { rows } = await db.query<SealedCount>({ text: sql });
  return rows;
}

// A sealed value begins with a byte for its form and the eight of the key's id.
const sql = `
select kind, encode(substring(sealed from 2 for 8), 'hex') as key_id, count(*)::integer as count
from (
  select 'subscription' as kind, unnest(secret_sealed || previous_secrets_sealed) as sealed from webhook.subscription
  union all
  select 'application_secret', token_sealed from iam.application_secret
  union all
  select 'service_token', token_sealed from iam.service_token
) as sealed_value
group by kind, key_id
order by kind, key_id
`;
