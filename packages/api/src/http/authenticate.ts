import { timingSafeEqual } from 'node:crypto';
import type { ApplicationSecretOwner } from '@postrider/shared/database/queries/find-application-secret';
import type { ServiceTokenOwner } from '@postrider/shared/database/queries/find-service-token-owner';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { tokenHashInBase64 } from '@postrider/shared/secrets/sealed-secret';
import { ProblemError } from '../problems.ts';
import type { Found } from '../services/memory.ts';
import { isServiceToken } from '../services/write-service-token.ts';
import type { TokenCache } from '../services/token-cache.ts';
import type { Principal } from './principal.ts';

export interface Authenticator {
  /** Reads the `Authorization` header; at once where the token is known. Fails with the problem that the contract names. */
  authenticate(header: string | undefined): Principal | Promise<Principal>;
}

type TokenFinders = Pick<TokenCache, 'findApplicationSecret' | 'findServiceToken'>;

/** Tokens are told apart by what they are: the master key first, in constant time, then service tokens by their form, then secrets. */
export function createAuthenticator(tokens: TokenFinders, masterKey: string | null): Authenticator {
  const masterHash = masterKey === null ? null : Buffer.from(tokenHashInBase64(masterKey.toLowerCase()));
  return {
    authenticate(header) {
      const token = readToken(header);
      const lowerCase = token.toLowerCase();
      // The hash of a secret, too: those are lower case.
      const hash = tokenHashInBase64(lowerCase);
      if (masterHash && timingSafeEqual(Buffer.from(hash), masterHash)) {
        return { kind: 'master' };
      }
      if (isServiceToken(token)) {
        return principalOf(tokens.findServiceToken(tokenHashInBase64(token)), servicePrincipal);
      }
      return principalOf(normalizeUuid(lowerCase) === null ? undefined : tokens.findApplicationSecret(hash), applicationPrincipal);
    },
  };
}

function principalOf<Owner>(found: Found<Owner>, make: (owner: Owner) => Principal): Principal | Promise<Principal> {
  return found instanceof Promise ? found.then((owner) => ofOwner(owner, make)) : ofOwner(found, make);
}

function ofOwner<Owner>(owner: Owner | undefined, make: (owner: Owner) => Principal): Principal {
  if (owner === undefined) {
    throw new ProblemError('AuthInvalidBiscuit');
  }
  return make(owner);
}

function applicationPrincipal(owner: ApplicationSecretOwner): Principal {
  return {
    kind: 'application',
    applicationId: owner.application_id,
    organizationId: owner.organization_id,
    applicationSecretId: owner.application_secret_id,
  };
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
