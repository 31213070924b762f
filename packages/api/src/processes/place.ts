import type { Worker } from 'node:cluster';
import type { Logger } from 'pino';
import type { InstanceBuckets } from './instance-buckets.ts';
import { type ManagedChild, manageChild } from './managed-child.ts';
import { restartDelayMs } from './restart-delay.ts';

/** A process that served this long did not fail at its start: the next one that ends is replaced without a long wait. */
const provenAfterMs = 60_000;

export interface PlaceOptions {
  readonly processNumber: number;
  readonly fork: (processNumber: number) => Worker;
  readonly logger: Logger;
  readonly leaseTokens: InstanceBuckets;
  readonly now: () => number;
  readonly onServing: (url: string) => void;
  /** A process ended that served before, and is replaced. */
  readonly onReplaced: () => void;
  /** A process ended that is not replaced: none ever served here, or the place is closed. */
  readonly onEmpty: (end: number | string) => void;
  /** Any process here ended. */
  readonly onEnd: () => void;
}

/** The place of one process: when it ends, another one with its number takes it. */
export interface Place {
  readonly processNumber: number;
  start(): void;
  /** Null while there is none. */
  child(): ManagedChild | null;
  isServing(): boolean;
  /** Lets the process drain and starts no other. */
  close(): void;
}

export function createPlace(options: PlaceOptions): Place {
  const { processNumber, logger, now } = options;
  let child: ManagedChild | null = null;
  let hasServed = false;
  let isClosed = false;
  let servingSinceMs = Number.POSITIVE_INFINITY;
  let failures = 0;
  let restart: NodeJS.Timeout | undefined;

  function start(): void {
    child = manageChild(options.fork(processNumber), {
      onServing(url) {
        hasServed = true;
        servingSinceMs = now();
        options.onServing(url);
      },
      onExit: ended,
      leaseTokens: options.leaseTokens,
    });
    logger.info({ event: 'process.started', processNumber, pid: child.pid }, 'a process of the API was started');
  }

  function ended(end: number | string): void {
    child = null;
    options.onEnd();
    if (isClosed || !hasServed) {
      options.onEmpty(end);
      return;
    }
    failures = now() - servingSinceMs >= provenAfterMs ? 0 : failures;
    const delayMs = restartDelayMs(failures);
    failures += 1;
    servingSinceMs = Number.POSITIVE_INFINITY;
    options.onReplaced();
    logger.error({ event: 'process.ended', processNumber, end, delayMs }, 'a process of the API ended; it is replaced');
    restart = setTimeout(start, delayMs);
  }

  return {
    processNumber,
    start,
    child: () => child,
    isServing: () => child !== null && child.url() !== null,
    close() {
      isClosed = true;
      clearTimeout(restart);
      child?.drain();
    },
  };
}
