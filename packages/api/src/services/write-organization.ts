import type { DatabasePool } from '@postrider/shared/database/pool';
import { deleteOrganization } from '@postrider/shared/database/queries/delete-organization';
import { findOrganizationLimits } from '@postrider/shared/database/queries/find-organization-limits';
import { insertOrganization } from '@postrider/shared/database/queries/insert-organization';
import { lockOrganization } from '@postrider/shared/database/queries/lock-organization';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { renameOrganization } from '@postrider/shared/database/queries/rename-organization';
import { writeOrganizationLimits } from '@postrider/shared/database/queries/write-organization-limits';
import type { OrganizationLimits, OwnLimits } from '@postrider/shared/domain/quotas';
import type { Audit } from './audit.ts';

export interface WantedOrganization {
  readonly organizationId: string;
  readonly name: string;
}

/** Creates an organization. One with this id that is there already stays as it is. */
export async function createOrganization(db: DatabasePool, audit: Audit, organization: WantedOrganization): Promise<void> {
  const { organizationId, name } = organization;
  await db.transaction(async (transaction) => {
    if (await insertOrganization(transaction, organization)) {
      await audit(transaction, { ...about(organizationId), before: null, after: { name } });
    }
  });
}

/** An organization as it is to be. */
export interface ChangedOrganization extends WantedOrganization {
  /** Limits of its own; null leaves them as they are. */
  readonly limits: OwnLimits<OrganizationLimits> | null;
}

/** Renames an organization and gives it limits, if there is one of this id. */
export async function changeOrganization(
  db: DatabasePool,
  audit: Audit,
  { organizationId, name, limits }: ChangedOrganization,
): Promise<void> {
  await db.transaction(async (transaction) => {
    const before = await lockOrganization(transaction, organizationId);
    if (!before) {
      return;
    }
    await renameOrganization(transaction, organizationId, name);
    const limitsBefore = limits && (await findOrganizationLimits(transaction, organizationId));
    if (limits) {
      await writeOrganizationLimits(transaction, organizationId, limits);
      // They are remembered with the tokens.
      await notifyTokensDeleted(transaction);
    }
    await audit(transaction, { ...about(organizationId), before: { ...before, ...limitsBefore }, after: { name, ...limits } });
  });
}

/** Deletes an organization and forgets its tokens everywhere. False when there is none, or when it has applications. */
export function removeOrganization(db: DatabasePool, audit: Audit, organizationId: string): Promise<boolean> {
  return db.transaction(async (transaction) => {
    const before = await lockOrganization(transaction, organizationId);
    if (!before || !(await deleteOrganization(transaction, organizationId))) {
      return false;
    }
    await notifyTokensDeleted(transaction);
    await audit(transaction, { ...about(organizationId), before, after: null });
    return true;
  });
}

function about(organizationId: string) {
  return { owner: { organizationId }, target: { kind: 'organization', id: organizationId } };
}
