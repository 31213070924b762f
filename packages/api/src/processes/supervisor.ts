import type { Worker } from 'node:cluster';
import type { Readiness } from '@postrider/shared/observability/ops-server';
import { createRegistry } from '@postrider/shared/observability/registry';
import type { Logger } from 'pino';
import { type ManagedChild, manageChild } from './managed-child.ts';
import { createMergedMetrics } from './merged-metrics.ts';
import { createProcessMetrics } from './process-metrics.ts';
import { restartDelayMs } from './restart-delay.ts';

/** A process that served this long did not fail at its start: the next one that ends is replaced without a long wait. */
const provenAfterMs = 60_000;

export interface SupervisorOptions {
  readonly count: number;
  /** Starts the process with this number, from 1. */
  readonly fork: (processNumber: number) => Worker;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Keeps processes of the API running. */
export interface Supervisor {
  /** Resolves with their address when all serve for the first time. Rejects when one ends before it ever served. */
  start(): Promise<string>;
  /** Ready when every process is. */
  readiness(): Promise<Readiness>;
  /** Of all processes together, in the text format of Prometheus. */
  metrics(): Promise<string>;
  /** Drains all and resolves when they have ended; rejects when one did not end in order. */
  drain(): Promise<void>;
  /** Ends all at once. */
  kill(): void;
}

/** The place of one process: when it ends, another one with its number takes it. */
interface Place {
  readonly processNumber: number;
  child: ManagedChild | null;
  hasServed: boolean;
  servingSinceMs: number;
  failures: number;
  restart: NodeJS.Timeout | undefined;
}

/** A process ended before it served for the first time: with these settings none ever will. */
export class ProcessDidNotStartError extends Error {
  override readonly name = 'ProcessDidNotStartError';
  /** Its exit code, or the signal that ended it. */
  readonly end: number | string;

  constructor(processNumber: number, end: number | string) {
    super(`The process ${processNumber} of the API ended with ${end} before it served.`);
    this.end = end;
  }
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { logger, now } = options;
  const places = Array.from(
    { length: options.count },
    (_, index): Place => ({
      processNumber: index + 1,
      child: null,
      hasServed: false,
      servingSinceMs: Number.POSITIVE_INFINITY,
      failures: 0,
      restart: undefined,
    }),
  );
  const isServing = ({ child }: Place): boolean => child !== null && child.url() !== null;
  const registry = createRegistry();
  const { restarts } = createProcessMetrics(registry, () => places.filter(isServing).length);
  const merged = createMergedMetrics();
  const started = Promise.withResolvers<string>();
  const drained = Promise.withResolvers<void>();
  const badEnds: (number | string)[] = [];
  let draining = false;

  function startIn(place: Place): void {
    const { processNumber } = place;
    place.child = manageChild(options.fork(processNumber), {
      onServing(url) {
        place.hasServed = true;
        place.servingSinceMs = now();
        if (places.every(isServing)) {
          started.resolve(url);
        }
      },
      onExit: (end) => ended(place, end),
    });
    logger.info({ event: 'process.started', processNumber, pid: place.child.pid }, 'a process of the API was started');
  }

  function ended(place: Place, end: number | string): void {
    const { processNumber } = place;
    place.child = null;
    merged.forget(processNumber);
    if (draining) {
      if (end !== 0) {
        badEnds.push(end);
      }
      resolveWhenDrained();
    } else if (!place.hasServed) {
      started.reject(new ProcessDidNotStartError(processNumber, end));
    } else {
      place.failures = now() - place.servingSinceMs >= provenAfterMs ? 0 : place.failures;
      const delayMs = restartDelayMs(place.failures);
      place.failures += 1;
      place.servingSinceMs = Number.POSITIVE_INFINITY;
      restarts.inc();
      logger.error({ event: 'process.ended', processNumber, end, delayMs }, 'a process of the API ended; it is replaced');
      place.restart = setTimeout(() => startIn(place), delayMs);
    }
  }

  function resolveWhenDrained(): void {
    if (places.some(({ child }) => child !== null)) {
      return;
    }
    if (badEnds.length === 0) {
      drained.resolve();
    } else {
      drained.reject(new Error(`Processes of the API did not end in order: ${badEnds.join(', ')}.`));
    }
  }

  return {
    start() {
      places.forEach(startIn);
      return started.promise;
    },
    async readiness() {
      const answers = await Promise.all(places.map((place) => (isServing(place) ? place.child?.readiness() : null)));
      const processes = places.map(({ processNumber }, index) => ({
        processNumber,
        ready: answers[index]?.ready ?? false,
        ...answers[index]?.details,
      }));
      return { ready: !draining && processes.every(({ ready }) => ready), details: { draining, processes } };
    },
    async metrics() {
      await Promise.all(
        places.map(async (place) => {
          const { child } = place;
          const metrics = isServing(place) ? await child?.metrics() : null;
          // One that does not answer is told of as it was last: without it the sums would shrink.
          if (metrics && place.child === child) {
            merged.update(place.processNumber, metrics);
          }
        }),
      );
      return merged.render((await registry.getMetricsAsJSON()).map((metric) => ({ ...metric })));
    },
    drain() {
      draining = true;
      for (const { restart, child } of places) {
        clearTimeout(restart);
        child?.drain();
      }
      resolveWhenDrained();
      return drained.promise;
    },
    kill: () => places.forEach(({ child }) => child?.kill()),
  };
}
