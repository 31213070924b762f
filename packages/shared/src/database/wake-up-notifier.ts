import type { Logger } from 'pino';
import { formatWakeUp } from '../domain/wake-up.ts';
import type { Database } from './pool.ts';
import { notifyDueAttempts } from './queries/notify-due-attempts.ts';

/** Tells workers that attempts are due, after the transaction that made them has committed. */
export interface WakeUpNotifier {
  notify(poolIds: Iterable<number>, options?: WakeUpOptions): void;
  /** Resolves when what was announced so far has been sent, or given up. */
  flush(): Promise<void>;
}

export interface WakeUpOptions {
  readonly rewind?: boolean;
  readonly parked?: boolean;
  /** How long it may wait for others, to be sent with them; not at all unless given. */
  readonly withinMs?: number;
}

/**
 * Coalesces: while one notification is being sent, all that come are sent as the next one. A notification that fails is dropped, since
 * workers also look every second.
 */
export function createWakeUpNotifier(db: Database, logger: Logger, random: () => number): WakeUpNotifier {
  let pools = new Set<number>();
  let parkedPools = new Set<number>();
  let rewind = false;
  let running: Promise<void> | null = null;
  // Each process starts elsewhere, so that few events do not always wake the same worker.
  let number = Math.floor(random() * 1_000_000);
  let timer: NodeJS.Timeout | undefined;

  function send(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // Only with something to send: a run that ends at once would end before it is noted down, and stand here for ever.
    if (running === null && pools.size + parkedPools.size > 0) {
      running = run();
    }
    return running ?? Promise.resolve();
  }

  async function run(): Promise<void> {
    for (let payload = nextPayload(); payload !== null; payload = nextPayload()) {
      try {
        await notifyDueAttempts(db, payload);
      } catch (error) {
        logger.warn({ event: 'wake_up.failed', err: error }, 'could not notify the workers; they find the attempts by polling');
      }
    }
    running = null;
  }

  function nextPayload(): string | null {
    number += 1;
    if (pools.size > 0) {
      const payload = formatWakeUp({ number, poolIds: [...pools], rewind });
      pools = new Set();
      rewind = false;
      return payload;
    }
    if (parkedPools.size > 0) {
      const payload = formatWakeUp({ number, poolIds: [...parkedPools], rewind: false, parked: true });
      parkedPools = new Set();
      return payload;
    }
    return null;
  }

  return {
    notify(poolIds, options) {
      const named = options?.parked ? parkedPools : pools;
      for (const poolId of poolIds) {
        named.add(poolId);
      }
      rewind ||= options?.rewind ?? false;
      const { withinMs = 0 } = options ?? {};
      if (named.size === 0) {
        return;
      }
      if (withinMs > 0) {
        timer ??= setTimeout(() => void send(), withinMs);
      } else {
        void send();
      }
    },
    flush: send,
  };
}
