import { timingSafeEqual } from 'node:crypto';
import type { ServiceTokenOwner } from '@postrider/shared/database/queries/find-service-token-owner';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { tokenHash } from '@postrider/shared/secrets/sealed-secret';
import { ProblemError } from '../problems.ts';
import { isServiceToken } from '../services/write-service-token.ts';
import type { TokenCache } from '../services/token-cache.ts';
import type { Principal } from './principal.ts';

export interface Authenticator {
  /** Reads the `Authorization` header. Fails with the problem that the contract names. */
  authenticate(header: string | undefined): Promise<Principal>;
}

type TokenFinders = Pick<TokenCache, 'findApplicationSecret' | 'findServiceToken'>;

/** Tokens are told apart by what they are: the master key first, in constant time, then service tokens by their form, then secrets. */
export function createAuthenticator(tokens: TokenFinders, masterKey: string | null): Authenticator {
  const masterDigest = masterKey === null ? null : tokenHash(masterKey.toLowerCase());
  return {
    async authenticate(header) {
      const token = readToken(header);
      const lowerCase = token.toLowerCase();
      // The hash of a secret, too: those are lower case.
      const hash = tokenHash(lowerCase);
      if (masterDigest && timingSafeEqual(hash, masterDigest)) {
        return { kind: 'master' };
      }
      const principal = isServiceToken(token)
        ? await servicePrincipalOf(tokens, token)
        : await applicationPrincipalOf(tokens, lowerCase, hash);
      if (!principal) {
        throw new ProblemError('AuthInvalidBiscuit');
      }
      return principal;
    },
  };
}

async function servicePrincipalOf(tokens: TokenFinders, token: string): Promise<Principal | null> {
  const owner = await tokens.findServiceToken(tokenHash(token));
  return owner ? servicePrincipal(owner) : null;
}

async function applicationPrincipalOf(tokens: TokenFinders, token: string, hash: Buffer): Promise<Principal | null> {
  const secret = normalizeUuid(token) === null ? undefined : await tokens.findApplicationSecret(hash);
  return secret
    ? {
        kind: 'application',
        applicationId: secret.application_id,
        organizationId: secret.organization_id,
        applicationSecretId: secret.application_secret_id,
      }
    : null;
}

function servicePrincipal(owner: ServiceTokenOwner): Principal {
  return {
    kind: 'service',
    serviceTokenId: owner.service_token_id,
    organizationId: owner.organization_id,
    role: owner.role,
    applicationIds: owner.application_ids,
    actions: owner.actions,
    expires: owner.expires_in_ms !== null,
  };
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
