import type { ApplicationSecretOwner } from '@postrider/shared/database/queries/find-application-secret';

/** What look-ups of tokens found, for a while. */
export interface TokenCache {
  /** Whose token this is, by its SHA-256: from memory, or looked up. */
  find(tokenHash: Buffer): Promise<ApplicationSecretOwner | undefined>;
  /** Forgets everything: some token was deleted. Look-ups under way are not kept either. */
  clear(): void;
  /** Whether deletions elsewhere are heard of; while they are not, nothing is answered from memory. */
  setListening(isListening: boolean): void;
}

export interface TokenCacheOptions {
  readonly lookUp: (tokenHash: Buffer) => Promise<ApplicationSecretOwner | undefined>;
  /** How long an answer is kept; 0 keeps none. */
  readonly ttlMs: number;
  readonly now: () => number;
}

const entriesMax = 10_000;

/**
 * Keeps tokens that exist. A request with an unknown one asks the database each time, so that a new token works at once. Deletions are
 * rare and clear everything, which costs one look-up per token in use.
 */
export function createTokenCache(options: TokenCacheOptions): TokenCache {
  const kept = new Map<string, { readonly owner: ApplicationSecretOwner; readonly untilMs: number }>();
  let isListening = false;
  let generation = 0;

  function clear(): void {
    generation += 1;
    kept.clear();
  }

  return {
    async find(tokenHash) {
      const key = tokenHash.toString('base64');
      const known = isListening ? kept.get(key) : undefined;
      if (known && options.now() < known.untilMs) {
        return known.owner;
      }
      const startedIn = generation;
      const owner = await options.lookUp(tokenHash);
      // A token that was deleted while it was looked up must not be kept.
      if (owner && isListening && startedIn === generation && options.ttlMs > 0) {
        if (kept.size >= entriesMax) {
          kept.clear();
        }
        kept.set(key, { owner, untilMs: options.now() + options.ttlMs });
      }
      return owner;
    },
    clear,
    setListening(listening) {
      isListening = listening;
      clear();
    },
  };
}
