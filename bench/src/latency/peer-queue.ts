import { Agent, request } from 'undici';
import { z } from 'zod';
import { latencySlots } from './contender.ts';

/** The name of the queue or task. */
export const peerQueue = 'deliver';

const jobSchema = z.object({ id: z.string(), payload: z.string() });

/** Posts a job's payload as the peers' workers do. */
export function createPeerPost(url: string): (job: unknown) => Promise<void> {
  const agent = new Agent({ allowH2: false, connections: latencySlots, pipelining: 1 });
  return async (job) => {
    const { id, payload } = jobSchema.parse(job);
    const response = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-event-id': id },
      body: payload,
    });
    await response.body.dump();
  };
}
