import { fileURLToPath } from 'node:url';
import { startProcess } from '@postrider/testkit/child-process';
import { z } from 'zod';
import { stopProcess } from '../clean-up.ts';

const seenSchema = z.object({
  arrivals: z.array(z.tuple([z.string(), z.number()])),
  paths: z.record(z.string(), z.object({ requests: z.number(), inFlight: z.number(), inFlightMax: z.number() })),
});

/** What the receivers got since they were last told to forget. */
export type SeenByReceivers = z.output<typeof seenSchema>;

export interface MoodyReceiver {
  readonly url: string;
  seen(): Promise<SeenByReceivers>;
  forget(): Promise<void>;
  /** From here on those that were in trouble answer, too. */
  recover(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts receivers that are well, slow or hang, by their path, in a process of their own. */
export async function startMoodyReceiver(): Promise<MoodyReceiver> {
  const main = fileURLToPath(new URL('../../dist/isolation/moody-receiver.js', import.meta.url));
  const managed = startProcess({ command: process.execPath, args: [main] });
  const started = await managed.waitForLog((line) => line['event'] === 'receiver.started');
  const url = `http://127.0.0.1:${String(started['port'])}`;
  const tell = async (what: string): Promise<void> => void (await fetch(`${url}/__${what}`, { method: 'POST' })).body?.cancel();
  return {
    url,
    seen: async () => seenSchema.parse(await (await fetch(`${url}/__seen`)).json()),
    forget: () => tell('reset'),
    recover: () => tell('recover'),
    stop: () => stopProcess(managed),
  };
}
