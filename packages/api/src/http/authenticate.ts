import { createHash, timingSafeEqual } from 'node:crypto';
import type { Database } from '@postrider/shared/database/pool';
import { findApplication } from '@postrider/shared/database/queries/find-application';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { tokenHash } from '@postrider/shared/secrets/sealed-secret';
import { ProblemError } from '../problems.ts';
import type { TokenCache } from '../services/token-cache.ts';
import type { Principal } from './principal.ts';
import type { Access } from './route.ts';

export interface Authenticator {
  /** Reads the `Authorization` header. Fails with the problem that the contract names. */
  authenticate(header: string | undefined): Promise<Principal>;
}

/** Tokens are told apart by what they are equal to: the master key first, in constant time, then the secrets of applications. */
export function createAuthenticator(tokens: Pick<TokenCache, 'find'>, masterKey: string | null): Authenticator {
  const masterDigest = masterKey === null ? null : digest(masterKey.toLowerCase());
  return {
    async authenticate(header) {
      const token = readToken(header);
      if (masterDigest && timingSafeEqual(digest(token.toLowerCase()), masterDigest)) {
        return { kind: 'master' };
      }
      const secretToken = normalizeUuid(token);
      const secret = secretToken === null ? undefined : await tokens.find(tokenHash(secretToken));
      if (!secret) {
        throw new ProblemError('AuthInvalidBiscuit');
      }
      return { kind: 'application', applicationId: secret.application_id, applicationSecretId: secret.application_secret_id };
    },
  };
}

/** Lets a principal call a route at all, whatever it would act on. */
export function authorizeOperation(principal: Principal, route: { readonly access: Access }): void {
  if (route.access === 'organization' && principal.kind !== 'master') {
    throw new ProblemError('Forbidden', { detail: 'Application secrets may not do that: it takes the master key.' });
  }
}

/** Lets a principal act on an application, or fails as if it did not exist. */
export async function authorizeApplication(db: Database, principal: Principal, applicationId: string): Promise<void> {
  if (!(await mayUse(db, principal, applicationId))) {
    throw new ProblemError('Forbidden');
  }
}

async function mayUse(db: Database, principal: Principal, applicationId: string): Promise<boolean> {
  switch (principal.kind) {
    case 'anonymous':
      return false;
    case 'application':
      return principal.applicationId === applicationId;
    case 'master':
      return (await findApplication(db, applicationId)) !== undefined;
  }
}

/** `Bearer <token>`; a bare token is accepted too. */
function readToken(header: string | undefined): string {
  if (header === undefined) {
    throw new ProblemError('AuthNoAuthorizationHeader');
  }
  // Node reads header bytes as Latin-1, so bytes from 0x80 on show as such characters.
  if (!/^[\x20-\x7e\t]*$/.test(header)) {
    throw new ProblemError('AuthInvalidAuthorizationHeader');
  }
  return header.replace(/^bearer\s+/i, '').trim();
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
