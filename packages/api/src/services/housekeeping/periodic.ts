/** A task that runs again and again; never twice at once. */
export interface Periodic {
  /** Resolves when a run that is under way has ended; none begins after. */
  stop(): Promise<void>;
}

export interface PeriodicOptions {
  /** Resolves with when it is to run again. */
  readonly task: () => Promise<'at once' | 'in time'>;
  /** Between the end of one run and the start of the next that is to come in time. */
  readonly everyMs: number;
  /** After a run that failed. */
  readonly afterFailureMs: number;
  readonly onFailure: (error: unknown) => void;
}

/** Runs a task at once and then periodically until it is stopped. */
export function startPeriodic(options: PeriodicOptions): Periodic {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void>;

  async function run(): Promise<void> {
    let delayMs = options.everyMs;
    try {
      if ((await options.task()) === 'at once') {
        delayMs = 0;
      }
    } catch (error) {
      options.onFailure(error);
      delayMs = options.afterFailureMs;
    }
    if (!stopped) {
      timer = setTimeout(() => {
        running = run();
      }, delayMs);
    }
  }

  running = run();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
