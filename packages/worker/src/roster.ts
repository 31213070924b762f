import type { Logger } from 'pino';

/** How often a process shows that it lives. */
const beatEveryMs = 5000;

export interface RosterOptions {
  readonly register: () => Promise<number>;
  /** Shows that this process lives; returns the numbers of all live ones, in order. */
  readonly beat: (workerProcessId: number) => Promise<number[]>;
  readonly leave: (workerProcessId: number) => Promise<void>;
  readonly servedPools: () => Promise<number[]>;
  readonly onServedPoolsChanged: () => void;
  readonly logger: Logger;
}

/** This process among its peers: its number, its place, and the pools that it serves. */
export interface Roster {
  workerProcessId(): number;
  servedPools(): readonly number[];
  /** How many others are to answer a wake-up of this number before this process. */
  rankFor(wakeUpNumber: number): number;
  stop(): Promise<void>;
}

/** Enters this process into the roster. Fails when the database is away: there is nothing to do without it. */
export async function joinRoster(options: RosterOptions): Promise<Roster> {
  const workerProcessId = await options.register();
  let live = await options.beat(workerProcessId);
  let servedPools = await options.servedPools();
  let stopped = false;
  let timer: NodeJS.Timeout;
  let running: Promise<void> = Promise.resolve();

  async function beat(): Promise<void> {
    try {
      live = await options.beat(workerProcessId);
      const pools = await options.servedPools();
      if (pools.join() !== servedPools.join()) {
        servedPools = pools;
        options.logger.info({ event: 'worker.pools_changed', servedPools }, 'the pools that this worker serves changed');
        options.onServedPoolsChanged();
      }
    } catch (error) {
      options.logger.warn({ event: 'worker.beat_failed', err: error }, 'could not show the roster that this worker lives');
    }
  }

  function later(): void {
    if (!stopped) {
      timer = setTimeout(() => {
        running = beat().then(later);
      }, beatEveryMs);
    }
  }

  later();
  return {
    workerProcessId: () => workerProcessId,
    servedPools: () => servedPools,
    rankFor(number) {
      const place = live.indexOf(workerProcessId);
      return place === -1 ? live.length : (place - (number % live.length) + live.length) % live.length;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      await options.leave(workerProcessId);
    },
  };
}
