import { type ApplicationLimitsRow, findApplicationLimits } from '@postrider/shared/database/queries/find-application-limits';
import { type ApplicationRow, findApplication } from '@postrider/shared/database/queries/find-application';
import { type ApplicationSecretOwner, findApplicationSecret } from '@postrider/shared/database/queries/find-application-secret';
import { findServiceTokenOwner, type ServiceTokenOwner } from '@postrider/shared/database/queries/find-service-token-owner';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import { isOwnNotification } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { createMemory, type Found, type Memory } from './memory.ts';

/**
 * Whose tokens and applications are whose: from memory, or looked up. All by what the client sent, so before any tenant is known; tokens by
 * their hash in base64, so that none stays in memory.
 */
export interface TokenCache {
  findApplicationSecret(tokenHash: string): Found<ApplicationSecretOwner>;
  findServiceToken(tokenHash: string): Found<ServiceTokenOwner>;
  /** An application never changes its organization; when it is deleted, so are its secrets, and everything here is forgotten. */
  findApplication(applicationId: string): Found<ApplicationRow>;
  /** The limits of their own that an application and its organization have. */
  findLimits(applicationId: string): Found<ApplicationLimitsRow>;
  /** Forgets everything when a change of tokens has ended, whatever became of it. Other instances hear of it by its notification. */
  forgetAfter<Result>(change: Promise<Result>): Promise<Result>;
  /** Hears that an instance has changed something. What this one sent itself it ignores, unless a change of its own had an unknown end. */
  heard(payload: string): void;
  /** Whether deletions elsewhere are heard of; while they are not, nothing is answered from memory. */
  setListening(isListening: boolean): void;
}

export interface TokenCacheOptions {
  /** How long an answer is kept; 0 keeps none. */
  readonly ttlMs: number;
  readonly now: () => number;
  readonly report: {
    lookedUp(cache: 'application_secret' | 'service_token' | 'application' | 'limits', result: 'hit' | 'miss'): void;
    listening(isListening: boolean): void;
  };
}

export function createTokenCache(db: AllTenantsDatabase, options: TokenCacheOptions): TokenCache {
  const { report } = options;
  const secrets = createMemory({
    ...options,
    lookUp: (key) => findApplicationSecret(db, Buffer.from(key, 'base64')),
    onLookUp: (result) => report.lookedUp('application_secret', result),
  });
  const serviceTokens = createMemory({
    ...options,
    lookUp: (key) => findServiceTokenOwner(db, Buffer.from(key, 'base64')),
    holdsForMs: (owner) => owner.expires_in_ms,
    onLookUp: (result) => report.lookedUp('service_token', result),
  });
  const applications = createMemory({
    ...options,
    lookUp: (applicationId) => findApplication(db, applicationId),
    onLookUp: (result) => report.lookedUp('application', result),
  });
  const limits = createMemory({
    ...options,
    lookUp: (applicationId) => findApplicationLimits(db, applicationId),
    onLookUp: (result) => report.lookedUp('limits', result),
  });
  const all: readonly Pick<Memory<unknown>, 'clear' | 'setListening'>[] = [secrets, serviceTokens, applications, limits];
  let heedsOwn = false;
  const clear = (): void => all.forEach((memory) => memory.clear());
  return {
    findApplicationSecret: (tokenHash) => secrets.find(tokenHash),
    findServiceToken: (tokenHash) => serviceTokens.find(tokenHash),
    findApplication: (applicationId) => applications.find(applicationId),
    findLimits: (applicationId) => limits.find(applicationId),
    async forgetAfter(change) {
      try {
        return await change;
      } catch (error) {
        // Its commit may still come, and nothing but its notification will tell.
        heedsOwn = true;
        throw error;
      } finally {
        clear();
      }
    },
    heard(payload) {
      if (heedsOwn || !isOwnNotification(payload)) {
        clear();
      }
    },
    setListening(isListening) {
      all.forEach((memory) => memory.setListening(isListening));
      report.listening(isListening);
    },
  };
}
