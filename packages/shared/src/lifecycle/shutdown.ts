import type { Logger } from 'pino';

export interface ShutdownOptions {
  /** Where signals and unexpected errors arrive, and how the process ends: `process` outside of tests. */
  readonly process: Pick<NodeJS.Process, 'on' | 'exit'>;
  readonly logger: Logger;
  /** Finishes what is under way and closes what is open; the process exits when it resolves. */
  readonly drain: () => Promise<void>;
  /** After this the process exits whatever still runs. */
  readonly deadlineMs: number;
  /** What starts it, and at the second time ends the process; SIGTERM and SIGINT unless given. */
  readonly signals?: readonly ('SIGTERM' | 'SIGINT')[];
}

export interface Shutdown {
  /** Drains and exits as at a signal; nothing more when that is under way already. */
  begin(reason: string): void;
}

/**
 * Drains on a signal and exits 0; a second signal exits at once. An error that nobody handles ends the process with 1, since
 * its state is unknown then: leases and transactions make sure that nothing is lost.
 */
export function installShutdown(options: ShutdownOptions): Shutdown {
  const { logger } = options;
  let draining = false;

  async function shutDown(reason: string): Promise<void> {
    logger.info({ event: 'shutdown.started', signal: reason }, 'draining');
    const timer = setTimeout(() => {
      logger.error({ event: 'shutdown.timed_out' }, 'draining took too long');
      options.process.exit(1);
    }, options.deadlineMs);
    try {
      await options.drain();
      logger.info({ event: 'shutdown.finished' }, 'drained');
      clearTimeout(timer);
      options.process.exit(0);
    } catch (error) {
      logger.error({ event: 'shutdown.failed', err: error }, 'draining failed');
      options.process.exit(1);
    }
  }

  function begin(reason: string): void {
    if (!draining) {
      draining = true;
      // Ends the process itself, whatever happens.
      void shutDown(reason);
    }
  }

  for (const signal of options.signals ?? (['SIGTERM', 'SIGINT'] as const)) {
    options.process.on(signal, () => {
      if (draining) {
        options.process.exit(1);
      }
      begin(signal);
    });
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    options.process.on(event, (error: unknown) => {
      logger.fatal({ event: 'process.bug', err: error }, 'an error that nobody handles');
      options.process.exit(1);
    });
  }
  return { begin };
}
