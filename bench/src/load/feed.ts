import { setTimeout as wait } from 'node:timers/promises';
import { notifyDueAttempts } from '@postrider/shared/database/queries/notify-due-attempts';
import { formatWakeUp } from '@postrider/shared/domain/wake-up';
import { insertBacklog, type TestApplication, type TestSubscription } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';

/** Attempts that come due at a steady rate. */
export interface Feed {
  inserted(): number;
  stop(): Promise<void>;
}

export interface FeedOptions {
  readonly application: TestApplication;
  readonly subscription: TestSubscription;
  readonly perSecond: number;
}

const everyMs = 50;

/** Inserts attempts straight into the queue, in groups, and wakes the workers as the API does: at a thousand a second the API is not what is measured. */
export function startFeed(database: TestDatabase, { application, subscription, perSecond }: FeedOptions): Feed {
  const startedAt = performance.now();
  let goesOn = true;
  let inserted = 0;

  const running = (async () => {
    for (let number = 0; goesOn; number += 1) {
      const count = Math.floor(((performance.now() - startedAt) / 1000) * perSecond) - inserted;
      if (count > 0) {
        await insertBacklog(database.admin, application, subscription, { count, payloadBytes: 128 });
        await notifyDueAttempts(database.admin, formatWakeUp({ number, poolIds: [0], rewind: false }));
        inserted += count;
      }
      await wait(everyMs);
    }
  })();

  return {
    inserted: () => inserted,
    async stop() {
      goesOn = false;
      await running;
    },
  };
}
