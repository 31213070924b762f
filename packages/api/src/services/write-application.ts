import type { DatabasePool } from '@postrider/shared/database/pool';
import { countApplications } from '@postrider/shared/database/queries/count-applications';
import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import type { ApplicationRow } from '@postrider/shared/database/queries/find-application';
import { findApplicationLimits } from '@postrider/shared/database/queries/find-application-limits';
import { insertApplication } from '@postrider/shared/database/queries/insert-application';
import { lockApplication } from '@postrider/shared/database/queries/lock-application';
import { lockOrganization } from '@postrider/shared/database/queries/lock-organization';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { renameApplication } from '@postrider/shared/database/queries/rename-application';
import { writeApplicationLimits } from '@postrider/shared/database/queries/write-application-limits';
import { newId } from '@postrider/shared/domain/ids';
import { type ApplicationLimits, type OwnLimits, unlimited } from '@postrider/shared/domain/quotas';
import type { SecretsKey } from '@postrider/shared/secrets/sealed-secret';
import type { Audit } from './audit.ts';
import { insertRandomSecret } from './write-application-secret.ts';

export interface NewApplication {
  readonly organizationId: string;
  readonly name: string;
  /** Applications that the organization may have. */
  readonly limit: number;
}

export type CreationResult =
  | { readonly kind: 'created'; readonly application: ApplicationRow }
  | { readonly kind: 'organization_missing' }
  | { readonly kind: 'too_many' };

/** Creates an application and its first secret. */
export function createApplication(
  db: DatabasePool,
  audit: Audit,
  secretsKey: SecretsKey,
  { organizationId, name, limit }: NewApplication,
): Promise<CreationResult> {
  return db.transaction(async (transaction) => {
    // Whoever counts holds the organization, so that of two who count at once one sees what the other made.
    const isLimited = limit < unlimited && (await lockOrganization(transaction, organizationId)) !== undefined;
    if (isLimited && (await countApplications(transaction, organizationId)) >= limit) {
      return { kind: 'too_many' };
    }
    const applicationId = newId();
    const application = await insertApplication(transaction, { applicationId, organizationId, name });
    if (!application) {
      return { kind: 'organization_missing' };
    }
    const secret = await insertRandomSecret(transaction, secretsKey, { applicationId, name: 'Default' });
    const after = { name: application.name, application_secret_id: secret.application_secret_id };
    await audit(transaction, { ...about(applicationId), before: null, after });
    return { kind: 'created', application };
  });
}

export interface WantedApplication {
  readonly applicationId: string;
  readonly name: string;
  /** Limits of its own; null leaves them as they are. */
  readonly limits: OwnLimits<ApplicationLimits> | null;
}

/** Renames an application and gives it limits; undefined when it does not exist. */
export function changeApplication(
  db: DatabasePool,
  audit: Audit,
  { applicationId, name, limits }: WantedApplication,
): Promise<ApplicationRow | undefined> {
  return db.transaction(async (transaction) => {
    const before = await lockApplication(transaction, applicationId);
    const after = before && (await renameApplication(transaction, applicationId, name));
    if (!before || !after) {
      return undefined;
    }
    const limitsBefore = limits && (await findApplicationLimits(transaction, applicationId))?.own;
    if (limits) {
      await writeApplicationLimits(transaction, applicationId, limits);
      // They are remembered with the tokens.
      await notifyTokensDeleted(transaction);
    }
    await audit(transaction, { ...about(applicationId), before: { ...before, ...limitsBefore }, after: { ...after, ...limits } });
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
