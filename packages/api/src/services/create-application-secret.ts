import { randomUUID } from 'node:crypto';
import type { Database } from '@postrider/shared/database/pool';
import { insertApplicationSecret } from '@postrider/shared/database/queries/insert-application-secret';
import type { ApplicationSecretRow } from '@postrider/shared/database/queries/list-application-secrets';
import { newId } from '@postrider/shared/domain/ids';
import { type SecretsKey, seal, tokenHash } from '@postrider/shared/secrets/sealed-secret';

/** Makes a random token for an application; it is kept sealed and found by its hash. */
export async function createApplicationSecret(
  db: Database,
  secretsKey: SecretsKey,
  secret: { readonly applicationId: string; readonly name: string | null },
): Promise<ApplicationSecretRow> {
  const applicationSecretId = newId();
  const token = randomUUID();
  return insertApplicationSecret(db, {
    ...secret,
    applicationSecretId,
    tokenHash: tokenHash(token),
    tokenSealed: seal(secretsKey, token, `application_secret:${applicationSecretId}`),
  });
}
