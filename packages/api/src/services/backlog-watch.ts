import type { Logger } from 'pino';
import { startPeriodic } from './housekeeping/periodic.ts';

/** Deliveries that lag by less than this between two looks are no reason to turn anybody away. */
const lookEveryMs = 5000;

/** Whether deliveries lag so far behind that no more events should come in. */
export interface BacklogWatch {
  isTooOld(): boolean;
  stop(): Promise<void>;
}

export interface BacklogWatchOptions {
  /** 0 watches nothing. */
  readonly limitMs: number;
  /** The age of the oldest due attempt that nobody works on. */
  readonly load: () => Promise<number>;
  readonly logger: Logger;
}

/** Looks at the age of the queue every five seconds. When it cannot look, what it saw last holds. */
export function watchBacklog({ limitMs, load, logger }: BacklogWatchOptions): BacklogWatch {
  if (limitMs === 0) {
    return { isTooOld: () => false, stop: () => Promise.resolve() };
  }
  let ageMs = 0;
  const looking = startPeriodic({
    async task() {
      ageMs = await load();
      return 'in time';
    },
    everyMs: lookEveryMs,
    afterFailureMs: lookEveryMs,
    onFailure: (error) => logger.warn({ event: 'backlog.look_failed', err: error }, 'could not see how old the queue is'),
  });
  return { isTooOld: () => ageMs > limitMs, stop: () => looking.stop() };
}
