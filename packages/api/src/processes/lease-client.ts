import type { RequestTokens } from '@postrider/shared/database/queries/lease-request-tokens';
import type { LeaseOfInstance } from '../services/limits/rate-limiter.ts';
import type { ToSupervisor } from './messages.ts';

/** Asks the supervisor for tokens of the rate limits that the processes share. */
export interface LeaseClient {
  readonly lease: LeaseOfInstance;
  answered(id: number, tokens: RequestTokens): void;
}

export function createLeaseClient(tell: (message: ToSupervisor) => void): LeaseClient {
  const asked = new Map<number, (tokens: RequestTokens) => void>();
  let lastId = 0;
  return {
    lease(layer, key, wanted) {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve) => {
        // Whoever asks waits only so long. A channel that does not answer has closed, and then Node ends this process.
        asked.set(id, resolve);
        tell({ kind: 'lease', id, layer, key, wanted });
      });
    },
    answered(id, tokens) {
      asked.get(id)?.(tokens);
      asked.delete(id);
    },
  };
}
