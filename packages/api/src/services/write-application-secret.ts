import { randomUUID } from 'node:crypto';
import type { DatabasePool, Transaction } from '@postrider/shared/database/pool';
import { deleteApplicationSecret } from '@postrider/shared/database/queries/delete-application-secret';
import { insertApplicationSecret } from '@postrider/shared/database/queries/insert-application-secret';
import type { ApplicationSecretRow } from '@postrider/shared/database/queries/list-application-secrets';
import { lockApplicationSecret } from '@postrider/shared/database/queries/lock-application-secret';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { renameApplicationSecret } from '@postrider/shared/database/queries/rename-application-secret';
import { newId } from '@postrider/shared/domain/ids';
import { type SecretsKey, seal, tokenHash } from '@postrider/shared/secrets/sealed-secret';
import type { Audit } from './audit.ts';

interface WantedSecret {
  readonly applicationId: string;
  readonly name: string | null;
}

/** Makes a random token for an application. */
export function createApplicationSecret(
  db: DatabasePool,
  audit: Audit,
  secretsKey: SecretsKey,
  wanted: WantedSecret,
): Promise<ApplicationSecretRow> {
  return db.transaction(async (transaction) => {
    const row = await insertRandomSecret(transaction, secretsKey, wanted);
    await audit(transaction, { ...about(wanted.applicationId, row), before: null, after: { name: row.name } });
    return row;
  });
}

/** Renames a secret; undefined when the application has none with this token. */
export function changeApplicationSecret(
  db: DatabasePool,
  audit: Audit,
  secret: WantedSecret & { readonly token: string },
): Promise<ApplicationSecretRow | undefined> {
  const { applicationId, name, token } = secret;
  const wanted = { applicationId, name, tokenHash: tokenHash(token) };
  return db.transaction(async (transaction) => {
    const before = await lockApplicationSecret(transaction, wanted);
    const after = before && (await renameApplicationSecret(transaction, wanted));
    if (before && after) {
      await audit(transaction, { ...about(applicationId, after), before: { name: before.name }, after: { name: after.name } });
    }
    return after;
  });
}

/** Deletes a secret: its token is refused from then on. False when the application has none with this token. */
export function removeApplicationSecret(db: DatabasePool, audit: Audit, applicationId: string, token: string): Promise<boolean> {
  const secret = { applicationId, tokenHash: tokenHash(token) };
  return db.transaction(async (transaction) => {
    const before = await lockApplicationSecret(transaction, secret);
    if (!before || !(await deleteApplicationSecret(transaction, applicationId, secret.tokenHash))) {
      return false;
    }
    await notifyTokensDeleted(transaction);
    await audit(transaction, { ...about(applicationId, before), before: { name: before.name }, after: null });
    return true;
  });
}

/** Inserts a random token for an application; it is kept sealed and found by its hash. Left to the caller to audit. */
export function insertRandomSecret(
  transaction: Transaction,
  secretsKey: SecretsKey,
  { applicationId, name }: WantedSecret,
): Promise<ApplicationSecretRow> {
  const applicationSecretId = newId();
  const token = randomUUID();
  return insertApplicationSecret(transaction, {
    applicationId,
    name,
    applicationSecretId,
    tokenHash: tokenHash(token),
    tokenSealed: seal(secretsKey, token, `application_secret:${applicationSecretId}`),
  });
}

function about(applicationId: string, row: { readonly application_secret_id: string }) {
  return { owner: { applicationId }, target: { kind: 'application_secret', id: row.application_secret_id } };
}
