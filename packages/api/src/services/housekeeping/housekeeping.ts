import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { Logger } from 'pino';
import { startPeriodic } from './periodic.ts';
import { sweepStrandedAttempts } from './sweep.ts';

const partitionsEveryMs = 60 * 60 * 1000;
const sweepEveryMs = 10_000;
const afterFailureMs = 10_000;

export interface Housekeeping {
  stop(): Promise<void>;
}

/** What the API does beside answering: partitions for the days to come, hourly, and the sweep of stranded attempts, every ten seconds. */
export function startHousekeeping(options: {
  readonly db: AllTenantsDatabase;
  readonly notifier: WakeUpNotifier;
  readonly logger: Logger;
}): Housekeeping {
  const { db, notifier, logger } = options;
  const onFailure = (task: string) => (error: unknown) => {
    logger.warn({ event: 'housekeeping.failed', task, err: error }, 'housekeeping failed; it runs again soon');
  };
  const tasks = [
    startPeriodic({
      task: () => ensurePartitions(db),
      everyMs: partitionsEveryMs,
      afterFailureMs,
      onFailure: onFailure('partitions'),
    }),
    startPeriodic({
      task: () => sweepStrandedAttempts(db, notifier),
      everyMs: sweepEveryMs,
      afterFailureMs,
      onFailure: onFailure('sweep'),
    }),
  ];
  return {
    async stop() {
      await Promise.all(tasks.map((task) => task.stop()));
    },
  };
}
