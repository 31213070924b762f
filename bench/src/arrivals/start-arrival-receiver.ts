import { fileURLToPath } from 'node:url';
import { startProcess } from '@postrider/testkit/child-process';
import { z } from 'zod';
import { stopProcess } from '../clean-up.ts';

/** A request that reached the receiver. */
export interface Arrival {
  readonly eventId: string;
  readonly requestAttemptId: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface ArrivalReceiver {
  readonly url: string;
  /** All that arrived so far, in order. */
  arrivals(): Promise<Arrival[]>;
  stop(): Promise<void>;
}

const arrivalsSchema = z.array(z.tuple([z.string(), z.string(), z.number()]));

/** Starts a receiver in a process of its own that notes when requests arrive. */
export async function startArrivalReceiver(options: { readonly delayMs: number }): Promise<ArrivalReceiver> {
  const main = fileURLToPath(new URL('../../dist/arrivals/arrival-receiver.js', import.meta.url));
  const managed = startProcess({ command: process.execPath, args: [main, String(options.delayMs)] });
  const started = await managed.waitForLog((line) => line['event'] === 'receiver.started');
  const url = `http://127.0.0.1:${String(started['port'])}`;
  return {
    url,
    async arrivals() {
      const response = await fetch(url);
      return arrivalsSchema.parse(await response.json()).map(([eventId, requestAttemptId, atMs]) => ({ eventId, requestAttemptId, atMs }));
    },
    stop: () => stopProcess(managed),
  };
}
