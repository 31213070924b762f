import { randomUUID } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { peerArguments, runPeer } from './peer-process.ts';
import { openAgent, signedHeaders } from './signed-post.ts';

/** Bare undici, the ceiling: the same signed requests as the worker's, without a queue; answers are read and dropped. */
const peer = peerArguments();
const { origin, pathname: path } = new URL(peer.url);
const agent = openAgent(peer.concurrent, 0);
const delivery = {
  requestAttemptId: randomUUID(),
  eventId: randomUUID(),
  eventTypeName: 'order.item.created',
  payload: Buffer.from(`{"data":"${'x'.repeat(1013)}"}`),
};

/** By callbacks alone: as Postrider sends. */
function send(count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let started = 0;
    let finished = 0;
    const start = (): void => {
      started += 1;
      agent.dispatch({ origin, path, method: 'POST', headers: signedHeaders(delivery), body: delivery.payload }, handler);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_controller, status) {
        if (status !== 200) {
          reject(new Error(`The receiver answered ${status}.`));
        }
      },
      onResponseData() {},
      onResponseEnd() {
        finished += 1;
        if (finished === count) {
          resolve();
        } else if (started < count) {
          start();
        }
      },
      onResponseError: (_controller, error) => reject(error),
    };
    while (started < Math.min(peer.concurrent, count)) {
      start();
    }
  });
}

await runPeer(
  {
    async deliver(_phase, count) {
      const startedAt = performance.now();
      await send(count);
      return (performance.now() - startedAt) / 1000;
    },
  },
  peer,
);
