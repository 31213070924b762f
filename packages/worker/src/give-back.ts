import type { LeasedAttempt } from '@postrider/shared/database/queries/renew-leases';
import type { HeldAttempt } from './attempt.ts';

export interface GiveBackOptions {
  readonly release: (attempts: readonly LeasedAttempt[]) => Promise<Set<string>>;
  /** Resolves when the database knows which subscriptions are parked. */
  readonly parkingKnown: () => Promise<void>;
  /** Announces attempts that others may claim now. */
  readonly announce: () => void;
  /** Parked attempts can be claimed again by the process that has their subscription. */
  readonly onParked: () => void;
  readonly report: { released(count: number): void; leaseLost(attempt: HeldAttempt): void; renewFailed(error: unknown): void };
}

/** Gives attempts back to the queue that were claimed and not sent; those of one turn go back in one statement. */
export class GiveBack {
  readonly #options: GiveBackOptions;
  #unstarted: HeldAttempt[] = [];
  #toPark: HeldAttempt[] = [];

  constructor(options: GiveBackOptions) {
    this.#options = options;
  }

  /** An attempt that had its slot and was not sent: others may have it. */
  letGo(held: HeldAttempt): void {
    this.#unstarted.push(held);
    if (this.#unstarted.length === 1) {
      // Handles its own failure; a drain looks after what is left.
      setImmediate(() => void this.#releaseUnstarted());
    }
  }

  /** An attempt whose subscription is paused or parked, which nobody need hear of. */
  park(held: HeldAttempt): void {
    this.#toPark.push(held);
    if (this.#toPark.length === 1) {
      // Handles its own failure; a drain looks after what is left.
      setImmediate(() => void this.#releaseToPark());
    }
  }

  /** Attempts that wait in memory while the process ends. */
  async release(attempts: readonly HeldAttempt[]): Promise<void> {
    if ((await this.#release(attempts)) > 0) {
      this.#options.announce();
    }
  }

  /** What has not gone back yet. */
  async flush(): Promise<void> {
    await this.#releaseUnstarted();
    await this.#releaseToPark();
  }

  async #releaseUnstarted(): Promise<void> {
    const attempts = this.#unstarted;
    this.#unstarted = [];
    await this.release(attempts);
  }

  async #releaseToPark(): Promise<void> {
    // Put back before the database knows where they belong, they would come again with the next claim.
    await this.#options.parkingKnown();
    const attempts = this.#toPark;
    this.#toPark = [];
    if ((await this.#release(attempts)) > 0) {
      this.#options.onParked();
    }
  }

  /** Returns how many went back. */
  async #release(attempts: readonly HeldAttempt[]): Promise<number> {
    const { release, report } = this.#options;
    if (attempts.length === 0) {
      return 0;
    }
    try {
      const released = await release(attempts);
      report.released(released.size);
      attempts.filter(({ requestAttemptId }) => !released.has(requestAttemptId)).forEach(report.leaseLost);
      return released.size;
    } catch (error) {
      // Their leases run out.
      report.renewFailed(error);
      return 0;
    }
  }
}
