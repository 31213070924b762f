import { fileURLToPath } from 'node:url';
import { type ManagedProcess, startProcess } from './child-process.ts';

/** What a counting receiver has seen. */
export interface ReceiverStats {
  readonly requests: number;
  readonly connections: number;
  /** Attempts that arrived at least once. */
  readonly distinct: number;
  /** Attempts that arrived more than once, and how often. */
  readonly repeated: readonly (readonly [requestAttemptId: string, times: number])[];
  readonly lastAtMs: number;
}

export interface CountingReceiver extends ManagedProcess {
  readonly url: string;
  stats(): Promise<ReceiverStats>;
}

/** Starts a receiver in a process of its own, so that its work does not disturb what is measured. */
export async function startCountingReceiver(options: { readonly delayMs?: number } = {}): Promise<CountingReceiver> {
  const main = fileURLToPath(new URL('../dist/counting-receiver.js', import.meta.url));
  const managed = startProcess({ command: process.execPath, args: [main, String(options.delayMs ?? 0)] });
  const started = await managed.waitForLog((line) => line['event'] === 'receiver.started');
  const url = `http://127.0.0.1:${String(started['port'])}`;
  return Object.assign(managed, {
    url,
    async stats(): Promise<ReceiverStats> {
      const response = await fetch(`${url}/__stats`);
      // The receiver is ours: its form is known.
      return parseStats(await response.json());
    },
  });
}

function parseStats(value: unknown): ReceiverStats {
  if (!isStats(value)) {
    throw new Error('The receiver does not tell its statistics.');
  }
  return value;
}

function isStats(value: unknown): value is ReceiverStats {
  return typeof value === 'object' && value !== null && 'requests' in value && 'repeated' in value;
}
