import type { DatabasePool } from '@postrider/shared/database/pool';
import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import type { ApplicationRow } from '@postrider/shared/database/queries/find-application';
import { insertApplication } from '@postrider/shared/database/queries/insert-application';
import { lockApplication } from '@postrider/shared/database/queries/lock-application';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { renameApplication } from '@postrider/shared/database/queries/rename-application';
import { newId } from '@postrider/shared/domain/ids';
import type { SecretsKey } from '@postrider/shared/secrets/sealed-secret';
import type { Audit } from './audit.ts';
import { insertRandomSecret } from './write-application-secret.ts';

/** Creates an application and its first secret; undefined when the organization does not exist. */
export function createApplication(
  db: DatabasePool,
  audit: Audit,
  secretsKey: SecretsKey,
  wanted: { readonly organizationId: string; readonly name: string },
): Promise<ApplicationRow | undefined> {
  return db.transaction(async (transaction) => {
    const applicationId = newId();
    const application = await insertApplication(transaction, { applicationId, ...wanted });
    if (application) {
      const secret = await insertRandomSecret(transaction, secretsKey, { applicationId, name: 'Default' });
      const after = { name: application.name, application_secret_id: secret.application_secret_id };
      await audit(transaction, { ...about(applicationId), before: null, after });
    }
    return application;
  });
}

/** Renames an application; undefined when it does not exist. */
export function changeApplication(
  db: DatabasePool,
  audit: Audit,
  applicationId: string,
  name: string,
): Promise<ApplicationRow | undefined> {
  return db.transaction(async (transaction) => {
    const before = await lockApplication(transaction, applicationId);
    const after = before && (await renameApplication(transaction, applicationId, name));
    if (before && after) {
      await audit(transaction, { ...about(applicationId), before, after });
    }
    return after;
  });
}

/** Deletes an application with its secrets and subscriptions; returns the subscriptions, whose attempts are left to be settled. */
export function removeApplication(db: DatabasePool, audit: Audit, applicationId: string): Promise<string[]> {
  return db.transaction(async (transaction) => {
    const application = await lockApplication(transaction, applicationId);
    if (!application) {
      return [];
    }
    await notifyTokensDeleted(transaction);
    const deleted = await deleteApplication(transaction, applicationId);
    await audit(transaction, {
      ...about(applicationId),
      before: { name: application.name, subscriptions: deleted.length },
      after: null,
    });
    return deleted;
  });
}

function about(applicationId: string) {
  return { owner: { applicationId }, target: { kind: 'application', id: applicationId } };
}
