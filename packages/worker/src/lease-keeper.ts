import type { LeasedAttempt } from '@postrider/shared/database/queries/renew-leases';
import type { HeldAttempt } from './attempt.ts';

/** How often waiting attempts are looked through, and how long before their last moment to start they are renewed. */
const lookEveryMs = 1000;
const renewAheadMs = 3000;

export interface LeaseKeeperOptions {
  /** Waiting attempts that must start before a time, in order. */
  readonly startingBefore: (timeMs: number) => HeldAttempt[];
  readonly remove: (requestAttemptIds: ReadonlySet<string>) => void;
  readonly renew: (attempts: readonly LeasedAttempt[]) => Promise<Set<string>>;
  readonly release: (attempts: readonly LeasedAttempt[]) => Promise<Set<string>>;
  readonly slotsTotal: number;
  readonly leaseMs: number;
  readonly leaseReserveMs: number;
  readonly report: { leaseLost(attempt: HeldAttempt): void; released(count: number): void; renewFailed(error: unknown): void };
  readonly now: () => number;
}

/**
 * Keeps the leases of attempts that were claimed and wait for a slot. Those that will fill the next slots are renewed, in one statement;
 * the rest go back to the queue for workers with more room.
 */
export function createLeaseKeeper(options: LeaseKeeperOptions) {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const late = options.startingBefore(options.now() + renewAheadMs);
    const kept = late.slice(0, options.slotsTotal);
    const surplus = late.slice(options.slotsTotal);
    try {
      if (surplus.length > 0) {
        options.remove(new Set(surplus.map(({ requestAttemptId }) => requestAttemptId)));
        const released = await options.release(surplus);
        options.report.released(released.size);
        surplus.filter(({ requestAttemptId }) => !released.has(requestAttemptId)).forEach(options.report.leaseLost);
      }
      if (kept.length > 0) {
        await renew(kept);
      }
    } catch (error) {
      // The attempts stay and are not started once it is too late; the next look tries again.
      options.report.renewFailed(error);
    }
  }

  async function renew(attempts: readonly HeldAttempt[]): Promise<void> {
    const sentAt = options.now();
    const renewed = await options.renew(attempts);
    // One that was started meanwhile is its delivery's business.
    const waiting = new Set(options.startingBefore(Number.POSITIVE_INFINITY));
    const lost = attempts.filter((attempt) => waiting.has(attempt) && !renewed.has(attempt.requestAttemptId));
    for (const attempt of attempts) {
      if (renewed.has(attempt.requestAttemptId)) {
        attempt.startBeforeMs = sentAt + options.leaseMs - options.leaseReserveMs;
      }
    }
    options.remove(new Set(lost.map(({ requestAttemptId }) => requestAttemptId)));
    lost.forEach(options.report.leaseLost);
  }

  function later(): void {
    timer = setTimeout(() => {
      running = look().then(later);
    }, lookEveryMs);
  }

  return {
    start: later,
    async stop(): Promise<void> {
      if (timer) {
        clearTimeout(timer);
      }
      await running;
      if (timer) {
        clearTimeout(timer);
      }
    },
  };
}
