import { randomBytes } from 'node:crypto';
import type { DatabasePool } from '@postrider/shared/database/pool';
import { deleteServiceToken } from '@postrider/shared/database/queries/delete-service-token';
import { insertServiceToken, type ServiceTokenToWrite } from '@postrider/shared/database/queries/insert-service-token';
import type { ServiceTokenRow } from '@postrider/shared/database/queries/list-service-tokens';
import { type LockedServiceToken, lockServiceToken } from '@postrider/shared/database/queries/lock-service-token';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { updateServiceToken } from '@postrider/shared/database/queries/update-service-token';
import { newId } from '@postrider/shared/domain/ids';
import { type SecretsKey, seal, tokenHash } from '@postrider/shared/secrets/sealed-secret';
import type { Audit } from './audit.ts';

/** By which people and scanners for leaked secrets recognise what they have found. */
const prefix = 'postrider_st_';
const randomBytesCount = 32;
const form = new RegExp(`^${prefix}[\\w-]{43}$`);

/** Whether a text has the form of a service token. */
export function isServiceToken(text: string): boolean {
  return form.test(text);
}

/** Makes a random service token; it is kept sealed and found by its hash. Undefined when the organization does not exist. */
export function createServiceToken(
  db: DatabasePool,
  audit: Audit,
  secretsKey: SecretsKey,
  wanted: Omit<ServiceTokenToWrite, 'serviceTokenId'>,
): Promise<ServiceTokenRow | undefined> {
  const serviceTokenId = newId();
  const token = prefix + randomBytes(randomBytesCount).toString('base64url');
  return db.transaction(async (transaction) => {
    const row = await insertServiceToken(transaction, {
      ...wanted,
      serviceTokenId,
      tokenHash: tokenHash(token),
      tokenSealed: seal(secretsKey, token, `service_token:${serviceTokenId}`),
    });
    if (row) {
      await audit(transaction, { ...about(wanted.organizationId, serviceTokenId), before: null, after: rightsOf(row) });
    }
    return row;
  });
}

/** Writes a service token anew; the token itself stays. Undefined when the organization has no such token. */
export function changeServiceToken(db: DatabasePool, audit: Audit, wanted: ServiceTokenToWrite): Promise<ServiceTokenRow | undefined> {
  return db.transaction(async (transaction) => {
    const before = await lockServiceToken(transaction, wanted);
    const after = before && (await updateServiceToken(transaction, wanted));
    if (before && after) {
      await notifyTokensDeleted(transaction);
      await audit(transaction, { ...about(wanted.organizationId, wanted.serviceTokenId), before, after: rightsOf(after) });
    }
    return after;
  });
}

/** Deletes a service token: it is refused from then on. False when the organization has no such token. */
export function removeServiceToken(
  db: DatabasePool,
  audit: Audit,
  token: { readonly organizationId: string; readonly serviceTokenId: string },
): Promise<boolean> {
  return db.transaction(async (transaction) => {
    const before = await lockServiceToken(transaction, token);
    if (!before || !(await deleteServiceToken(transaction, token))) {
      return false;
    }
    await notifyTokensDeleted(transaction);
    await audit(transaction, { ...about(token.organizationId, token.serviceTokenId), before, after: null });
    return true;
  });
}

function about(organizationId: string, serviceTokenId: string) {
  return { owner: { organizationId }, target: { kind: 'service_token', id: serviceTokenId } };
}

function rightsOf({ name, role, application_ids, actions, expires_at }: ServiceTokenRow): LockedServiceToken {
  return { name, role, application_ids, actions, expires_at };
}
