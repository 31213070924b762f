import type { Worker } from 'node:cluster';
import type { Readiness } from '@postrider/shared/observability/ops-server';
import { createRegistry } from '@postrider/shared/observability/registry';
import type { Logger } from 'pino';
import type { RateLimits } from '../services/limits/rate-limiter.ts';
import { createInstanceBuckets } from './instance-buckets.ts';
import { createMergedMetrics, type MergedMetrics } from './merged-metrics.ts';
import { createPlace, type Place } from './place.ts';
import { createProcessMetrics } from './process-metrics.ts';

export interface SupervisorOptions {
  readonly count: number;
  /** Starts the process with this number, from 1. */
  readonly fork: (processNumber: number) => Worker;
  readonly logger: Logger;
  /** The limits that the processes share. */
  readonly rateLimits: RateLimits;
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
  const started = Promise.withResolvers<string>();
  const drained = Promise.withResolvers<void>();
  const badEnds: (number | string)[] = [];
  let draining = false;
  const registry = createRegistry();
  const { restarts } = createProcessMetrics(registry, () => places.filter((place) => place.isServing()).length);
  const merged = createMergedMetrics();
  const leaseTokens = createInstanceBuckets(options.rateLimits, options.now);
  const places = Array.from({ length: options.count }, (_, index) => {
    const processNumber = index + 1;
    return createPlace({
      ...options,
      processNumber,
      leaseTokens,
      onServing(url) {
        if (places.every((place) => place.isServing())) {
          started.resolve(url);
        }
      },
      onReplaced: () => restarts.inc(),
      onEmpty(end) {
        if (draining) {
          badEnds.push(...(end === 0 ? [] : [end]));
          settleDrained();
        } else {
          started.reject(new ProcessDidNotStartError(processNumber, end));
        }
      },
      onEnd: () => merged.forget(processNumber),
    });
  });

  function settleDrained(): void {
    if (places.some((place) => place.child() !== null)) {
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
      places.forEach((place) => place.start());
      return started.promise;
    },
    async readiness() {
      const processes = await Promise.all(places.map(readinessOf));
      return { ready: !draining && processes.every(({ ready }) => ready), details: { draining, processes } };
    },
    async metrics() {
      await Promise.all(places.map((place) => updateMetrics(merged, place)));
      return merged.render((await registry.getMetricsAsJSON()).map((metric) => ({ ...metric })));
    },
    drain() {
      draining = true;
      places.forEach((place) => place.close());
      settleDrained();
      return drained.promise;
    },
    kill: () => places.forEach((place) => place.child()?.kill()),
  };
}

async function readinessOf(place: Place) {
  const answer = place.isServing() ? await place.child()?.readiness() : null;
  return { processNumber: place.processNumber, ready: answer?.ready ?? false, ...answer?.details };
}

/** One that does not answer is told of as it was last: without it the sums would shrink. */
async function updateMetrics(merged: MergedMetrics, place: Place): Promise<void> {
  const child = place.child();
  const metrics = place.isServing() ? await child?.metrics() : null;
  if (metrics && place.child() === child) {
    merged.update(place.processNumber, metrics);
  }
}
