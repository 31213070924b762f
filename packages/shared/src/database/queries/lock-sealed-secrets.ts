import type { Database } from '../pool.ts';
import type { SealedKind } from './count-sealed-secrets.ts';

export interface SealedRow {
  readonly id: string;
  /** All values of the row, also those that are sealed as they should be. */
  readonly sealed: Buffer[];
}

export interface SealedBatch {
  /** The key that values should be sealed under. */
  readonly keyId: Buffer;
  /** The last row of the batch before; null for the first. */
  readonly after: string | null;
  readonly limit: number;
}

/** Rows with a value under another key, by their ids and locked; what somebody else holds is left out. */
export async function lockSealedSecrets(db: Database, kind: SealedKind, batch: SealedBatch): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>({ text: statements[kind], values: [batch.keyId, batch.after, batch.limit] });
  return rows;
}

// One statement for each table that keeps sealed values. Served by the primary keys, in their order.
const statements: Readonly<Record<SealedKind, string>> = {
  subscription: `
select subscription_id as id, secret_sealed || previous_secrets_sealed as sealed
from webhook.subscription
where ($2::uuid is null or subscription_id > $2)
  and exists (select from unnest(secret_sealed || previous_secrets_sealed) as value where substring(value from 2 for 8) <> $1)
order by subscription_id
limit $3
for update skip locked
`,
  application_secret: `
select application_secret_id as id, array[token_sealed] as sealed
from iam.application_secret
where ($2::uuid is null or application_secret_id > $2) and substring(token_sealed from 2 for 8) <> $1
order by application_secret_id
limit $3
for update skip locked
`,
  service_token: `
select service_token_id as id, array[token_sealed] as sealed
from iam.service_token
where ($2::uuid is null or service_token_id > $2) and substring(token_sealed from 2 for 8) <> $1
order by service_token_id
limit $3
for update skip locked
`,
};
