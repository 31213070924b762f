import { type Database, onlyRow } from '../pool.ts';
import type { ApplicationSecretRow } from './list-application-secrets.ts';

export interface NewApplicationSecret {
  readonly applicationSecretId: string;
  readonly applicationId: string;
  readonly name: string | null;
  readonly tokenHash: Buffer;
  readonly tokenSealed: Buffer;
}

export async function insertApplicationSecret(db: Database, secret: NewApplicationSecret): Promise<ApplicationSecretRow> {
  const { applicationSecretId, applicationId, name, tokenHash, tokenSealed } = secret;
  return onlyRow(
    await db.query<ApplicationSecretRow>({
      name: 'insert_application_secret',
      text: sql,
      values: [applicationSecretId, applicationId, name, tokenHash, tokenSealed],
    }),
  );
}

const sql = `
insert into iam.application_secret (application_secret_id, application_id, name, token_hash, token_sealed)
values ($1, $2, $3, $4, $5)
returning application_secret_id, name, token_sealed, created_at, deleted_at
`;
