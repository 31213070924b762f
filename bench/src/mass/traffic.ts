import { setTimeout as wait } from 'node:timers/promises';
import { type ApplicationSetup, eventOf } from '@postrider/testkit/api-client';

export interface Traffic {
  /** When events were posted, in milliseconds since 1970, in order. */
  readonly posted: readonly number[];
  stop(): Promise<void>;
}

/** Posts events at a steady rate, however long the answers take, as other customers would. */
export function startTraffic(setup: ApplicationSetup, perSecond: number): Traffic {
  const posted: number[] = [];
  const inFlight = new Set<Promise<unknown>>();
  const startedAt = performance.now();
  let goesOn = true;
  let sent = 0;

  const running = (async () => {
    while (goesOn) {
      for (; sent < ((performance.now() - startedAt) / 1000) * perSecond; sent += 1) {
        posted.push(Date.now());
        const task: Promise<unknown> = setup.client.expect('POST', '/api/v1/event', eventOf(setup)).finally(() => inFlight.delete(task));
        inFlight.add(task);
      }
      await wait(5);
    }
  })();

  return {
    posted,
    async stop() {
      goesOn = false;
      await running;
      await Promise.all(inFlight);
    },
  };
}
