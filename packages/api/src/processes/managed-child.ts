import type { Worker } from 'node:cluster';
import type { Readiness } from '@postrider/shared/observability/ops-server';
import { endConnectionsOnTheirWay } from './connections-on-their-way.ts';
import type { InstanceBuckets } from './instance-buckets.ts';
import { metricsAnswer, type ProcessMetrics, readinessAnswer, type ToProcess, toSupervisor } from './messages.ts';

/** Prometheus gives a scrape ten seconds. */
const answerWithinMs = 5000;

/** A process of the API as its supervisor sees it. */
export interface ManagedChild {
  readonly pid: number;
  /** Where it serves; null until it does. */
  url(): string | null;
  /** Null when it does not answer in time. */
  readiness(): Promise<Readiness | null>;
  metrics(): Promise<ProcessMetrics | null>;
  drain(): void;
  kill(): void;
}

export interface ManagedChildEvents {
  readonly onServing: (url: string) => void;
  /** The code that it exited with, or the signal that ended it. */
  readonly onExit: (end: number | string) => void;
  readonly leaseTokens: InstanceBuckets;
}

/** Follows a process that was just forked. */
export function manageChild(worker: Worker, events: ManagedChildEvents): ManagedChild {
  const asked = new Map<number, (value: unknown) => void>();
  let lastId = 0;
  let url: string | null = null;

  endConnectionsOnTheirWay(worker.process);
  worker.on('message', (raw: unknown) => {
    const { data: message } = toSupervisor.safeParse(raw);
    switch (message?.kind) {
      case 'serving':
        url = message.url;
        events.onServing(message.url);
        break;
      case 'answer':
        asked.get(message.id)?.(message.value);
        break;
      case 'lease': {
        const tokens = events.leaseTokens(message.layer, message.key, message.wanted);
        if (tokens) {
          send({ kind: 'leased', id: message.id, tokens });
        }
        break;
      }
      case undefined:
        // Not ours: Node sends its own messages on the same channel.
        break;
    }
  });
  // A channel that breaks while something is sent: the exit follows and tells.
  worker.on('error', () => {});
  worker.once('exit', (code: number | null, signal: string | null) => {
    asked.forEach((resolve) => resolve(null));
    events.onExit(signal ?? code ?? 'unknown');
  });

  function send(message: ToProcess): void {
    if (worker.isConnected()) {
      worker.send(message, () => {});
    }
  }

  function ask(about: 'readiness' | 'metrics'): Promise<unknown> {
    lastId += 1;
    const id = lastId;
    return new Promise<unknown>((resolve) => {
      const timer = setTimeout(() => resolve(null), answerWithinMs);
      asked.set(id, (value) => {
        clearTimeout(timer);
        resolve(value);
      });
      send({ kind: 'ask', id, about });
    }).finally(() => asked.delete(id));
  }

  return {
    pid: worker.process.pid ?? 0,
    url: () => url,
    readiness: async () => readinessAnswer.safeParse(await ask('readiness')).data ?? null,
    metrics: async () => metricsAnswer.safeParse(await ask('metrics')).data ?? null,
    drain: () => send({ kind: 'drain' }),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}
