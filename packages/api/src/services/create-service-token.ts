import { randomBytes } from 'node:crypto';
import type { Database } from '@postrider/shared/database/pool';
import { insertServiceToken, type ServiceTokenToWrite } from '@postrider/shared/database/queries/insert-service-token';
import type { ServiceTokenRow } from '@postrider/shared/database/queries/list-service-tokens';
import { newId } from '@postrider/shared/domain/ids';
import { type SecretsKey, seal, tokenHash } from '@postrider/shared/secrets/sealed-secret';

/** By which people and scanners for leaked secrets recognise what they have found. */
const prefix = 'postrider_st_';
const randomBytesCount = 32;
const form = new RegExp(`^${prefix}[\\w-]{43}$`);

/** Whether a text has the form of a service token. */
export function isServiceToken(text: string): boolean {
  return form.test(text);
}

/** Makes a random service token; it is kept sealed and found by its hash. Undefined when the organization does not exist. */
export async function createServiceToken(
  db: Database,
  secretsKey: SecretsKey,
  wanted: Omit<ServiceTokenToWrite, 'serviceTokenId'>,
): Promise<ServiceTokenRow | undefined> {
  const serviceTokenId = newId();
  const token = prefix + randomBytes(randomBytesCount).toString('base64url');
  return insertServiceToken(db, {
    ...wanted,
    serviceTokenId,
    tokenHash: tokenHash(token),
    tokenSealed: seal(secretsKey, token, `service_token:${serviceTokenId}`),
  });
}
