import { deleteFullBuckets } from '@postrider/shared/database/queries/delete-full-buckets';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import { refreshEventsPerDay } from '@postrider/shared/database/queries/refresh-events-per-day';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { Logger } from 'pino';
import { startPeriodic } from './periodic.ts';
import { sweepStrandedAttempts, type UnfinishedSweep } from './sweep.ts';

const partitionsEveryMs = 60 * 60 * 1000;
/** Deletes a thousand at most, which is more than is made in that time where tokens are people's or programs'. */
const bucketsEveryMs = 10 * 60 * 1000;
const sweepEveryMs = 10_000;
const afterFailureMs = 10_000;

export interface Housekeeping {
  stop(): Promise<void>;
}

/** What the API does beside answering: partitions for the days to come, hourly, buckets that nobody needs, the sweep of stranded attempts, every ten seconds, and counts. */
export function startHousekeeping(options: {
  readonly db: AllTenantsDatabase;
  readonly notifier: WakeUpNotifier;
  readonly logger: Logger;
  /** Between refreshes of the counts of events; 0 is off. */
  readonly viewsRefreshMs: number;
}): Housekeeping {
  const { db, notifier, logger, viewsRefreshMs } = options;
  const onFailure = (task: string) => (error: unknown) => {
    logger.warn({ event: 'housekeeping.failed', task, err: error }, 'housekeeping failed; it runs again soon');
  };
  const unfinished: UnfinishedSweep = new Map();
  const tasks = [
    startPeriodic({
      async task() {
        await ensurePartitions(db);
        return 'in time';
      },
      everyMs: partitionsEveryMs,
      afterFailureMs,
      onFailure: onFailure('partitions'),
    }),
    startPeriodic({
      async task() {
        await deleteFullBuckets(db);
        return 'in time';
      },
      everyMs: bucketsEveryMs,
      afterFailureMs,
      onFailure: onFailure('rate_limit_buckets'),
    }),
    startPeriodic({
      task: async () => ((await sweepStrandedAttempts(db, notifier, unfinished)) ? 'at once' : 'in time'),
      everyMs: sweepEveryMs,
      afterFailureMs,
      onFailure: onFailure('sweep'),
    }),
  ];
  if (viewsRefreshMs > 0) {
    tasks.push(
      startPeriodic({
        async task() {
          // Half a period old is fresh: of several instances the one that comes first refreshes.
          await refreshEventsPerDay(db, viewsRefreshMs / 2);
          return 'in time';
        },
        everyMs: viewsRefreshMs,
        afterFailureMs,
        onFailure: onFailure('events_per_day'),
      }),
    );
  }
  return {
    async stop() {
      await Promise.all(tasks.map((task) => task.stop()));
    },
  };
}
