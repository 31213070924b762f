import { installShutdown } from '@postrider/shared/lifecycle/shutdown';
import type { Logger } from 'pino';
import { drainDeadlineMs, type ServingApi } from '../serve.ts';
import type { LeaseOfInstance } from '../services/limits/rate-limiter.ts';
import { createLeaseClient } from './lease-client.ts';
import { type ToSupervisor, toProcess } from './messages.ts';

export interface SupervisedOptions {
  readonly process: NodeJS.Process;
  readonly logger: Logger;
  /** With what the processes share of the rate limits. */
  readonly serve: (leaseOfInstance: LeaseOfInstance) => Promise<ServingApi>;
}

/**
 * Serves as one of several processes, under a supervisor that tells when to drain. The supervisor's end is its own: Node ends the process of a
 * cluster whose channel closes.
 */
export async function serveSupervised({ process, logger, serve }: SupervisedOptions): Promise<void> {
  let api: ServingApi | null = null;
  const leases = createLeaseClient(tell);
  const shutdown = installShutdown({
    process,
    logger,
    deadlineMs: drainDeadlineMs,
    // Ctrl-C in a terminal reaches all of its processes: the supervisor hears it, and tells.
    signals: ['SIGTERM'],
    drain: async () => api?.drain(),
  });
  process.on('SIGINT', () => {});
  process.on('message', (raw: unknown) => {
    const { data: message } = toProcess.safeParse(raw);
    switch (message?.kind) {
      case 'drain':
        shutdown.begin('supervisor');
        break;
      case 'ask':
        // Answers null when it fails, which the supervisor takes for no answer.
        void answer(message.about).then((value) => tell({ kind: 'answer', id: message.id, value }));
        break;
      case 'leased':
        leases.answered(message.id, message.tokens);
        break;
      case undefined:
        // Not ours: Node sends its own messages on the same channel.
        break;
    }
  });

  function tell(message: ToSupervisor): void {
    process.send?.(message, () => {});
  }

  async function answer(about: 'readiness' | 'metrics'): Promise<unknown> {
    try {
      return (await (about === 'readiness' ? api?.readiness() : api?.registry.getMetricsAsJSON())) ?? null;
    } catch (error) {
      logger.error({ event: 'ops.failed', err: error }, 'an operations request failed');
      return null;
    }
  }

  api = await serve(leases.lease);
  logger.info({ event: 'api.serving', url: api.url }, 'a process of the API serves');
  tell({ kind: 'serving', url: api.url });
}
