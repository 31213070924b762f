import type { Database } from '../pool.ts';
import type { SealedKind } from './count-sealed-secrets.ts';
import type { SealedRow } from './lock-sealed-secrets.ts';

/** Writes the values of a row that `lockSealedSecrets` has locked, in their order. */
export async function writeSealedSecrets(db: Database, kind: SealedKind, row: SealedRow): Promise<void> {
  await db.query({ name: `write_sealed_${kind}`, text: statements[kind], values: [row.id, row.sealed] });
}

const statements: Readonly<Record<SealedKind, string>> = {
  subscription:
    'update webhook.subscription set secret_sealed = ($2::bytea[])[1], previous_secrets_sealed = ($2::bytea[])[2:] where subscription_id = $1',
  application_secret: 'update iam.application_secret set token_sealed = ($2::bytea[])[1] where application_secret_id = $1',
  service_token: 'update iam.service_token set token_sealed = ($2::bytea[])[1] where service_token_id = $1',
};
