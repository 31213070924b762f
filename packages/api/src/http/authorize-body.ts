import type { Database } from '@postrider/shared/database/pool';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { authorizeApplication, type Principal } from './authenticate.ts';

/**
 * Authorizes what a body names as its application before the rest of it is looked at. A body without a readable `application_id` is let
 * through: it is refused for that.
 */
export async function authorizeBody(db: Database, principal: Principal, body: unknown): Promise<void> {
  const applicationId = applicationIdOf(body);
  if (applicationId !== null) {
    await authorizeApplication(db, principal, applicationId);
  }
}

function applicationIdOf(body: unknown): string | null {
  return typeof body === 'object' && body !== null && 'application_id' in body && typeof body.application_id === 'string'
    ? normalizeUuid(body.application_id)
    : null;
}
