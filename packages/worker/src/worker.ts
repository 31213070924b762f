import { claimCountMax } from '@postrider/shared/domain/limits';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { Claimer, type ClaimerOptions } from './claimer.ts';
import { createDeliverer, type DelivererOptions } from './deliver.ts';
import { createLeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
import { recordOfCancellation, recordOfClaimsExhausted } from './outcome-record.ts';
import { computeClaimLimit, createStartRate } from './prefetch.ts';
import type { Recorder } from './recorder.ts';
import type { WorkerReport } from './report.ts';
import { createSkippedSubscriptions, type SkippedSubscriptionsOptions } from './skipped-subscriptions.ts';
import type { Slots } from './slots.ts';
import { WaitingAttempts, type WaitingAttemptsOptions } from './waiting-attempts.ts';

/** Outcomes waiting for the database at which claiming stops: some per slot, and enough for a moment's hiccup of the database. */
const unrecordedPerSlotMax = 20;
const unrecordedMin = 1000;
/** Payload bytes of waiting attempts and of those in flight. */
const payloadBytesMax = 64 * 1024 * 1024;
/** Before payloads that could not be loaded are asked for again. */
const reloadDelayMs = 250;

export interface WorkerOptions<Prepared> {
  readonly slots: Slots;
  readonly recorder: Recorder;
  readonly report: WorkerReport;
  readonly claim: Pick<ClaimerOptions, 'claim' | 'nextDueMs' | 'newLeaseId' | 'workerProcessId' | 'servedPools'>;
  readonly leases: Pick<LeaseKeeperOptions, 'renew' | 'release'>;
  readonly loadEvents: WaitingAttemptsOptions['loadEvents'];
  readonly loadCancelled: SkippedSubscriptionsOptions['load'];
  readonly deliver: Pick<DelivererOptions<Prepared>, 'subscriptions' | 'send' | 'schedule' | 'random' | 'wait'>;
  /** Breaks off all requests in flight. */
  readonly abortRequests: () => void;
  /** Announces attempts that were put back to the queue. */
  readonly announceReleased: () => void;
  readonly leaseMs: number;
  /** How much of a lease must be left when a request starts: the request's timeout and a margin. */
  readonly leaseReserveMs: number;
  readonly now: () => number;
}

/** Claimer, waiting attempts, slots, deliveries and recorder as one worker. */
export class Worker<Prepared> {
  readonly claimer: Claimer;
  readonly #options: WorkerOptions<Prepared>;
  readonly #waiting: WaitingAttempts;
  readonly #leaseKeeper: ReturnType<typeof createLeaseKeeper>;
  readonly #attemptDelivery: (attempt: LoadedAttempt) => Promise<void>;
  readonly #startRate: ReturnType<typeof createStartRate>;
  /** Deliveries and when they started, oldest first. */
  readonly #inFlight = new Map<Promise<void>, number>();
  #unstarted: HeldAttempt[] = [];
  #isDraining = false;
  #isAborting = false;

  constructor(options: WorkerOptions<Prepared>) {
    const { recorder, report, leaseMs, leaseReserveMs, now } = options;
    this.#options = options;
    this.#startRate = createStartRate(now);
    this.#waiting = new WaitingAttempts({
      loadEvents: options.loadEvents,
      payloadBytesMax,
      onLoaded: () => this.#startWaiting(),
      onEventMissing: (held) => recorder.push(recordOfCancellation(held, 'event_missing')),
      onLoadFailed: (error) => {
        report.loadFailed(error);
        setTimeout(() => this.#waiting.load(), reloadDelayMs);
      },
    });
    this.claimer = new Claimer({
      ...options.claim,
      skipped: createSkippedSubscriptions({ load: options.loadCancelled, onReturned: () => this.claimer.rewind(), now }),
      leaseMs,
      leaseReserveMs,
      room: () => this.#room(),
      onClaimed: (attempts) => this.#takeOver(attempts),
      report,
      now,
    });
    recorder.onRoom(() => this.claimer.roomFreed());
    this.#leaseKeeper = createLeaseKeeper({
      ...options.leases,
      startingBefore: (timeMs) => this.#waiting.startingBefore(timeMs),
      remove: (requestAttemptIds) => this.#waiting.remove(requestAttemptIds),
      slotsTotal: options.slots.total,
      leaseMs,
      leaseReserveMs,
      report,
      now,
    });
    this.#attemptDelivery = createDeliverer({
      ...options.deliver,
      record: recorder.push,
      report,
      isAborting: () => this.#isAborting,
      onNotSent: (held) => this.#letGo(held),
      now,
    });
  }

  /** Attempts that are claimed and not started. */
  waiting(): number {
    return this.#waiting.count();
  }

  /** How long the oldest delivery in flight has run, in milliseconds; 0 when there is none. */
  oldestDeliveryMs(): number {
    const [startedAt] = this.#inFlight.values();
    return startedAt === undefined ? 0 : this.#options.now() - startedAt;
  }

  start(): void {
    this.claimer.start();
    this.#leaseKeeper.start();
  }

  /**
   * Stops claiming, gives back what was not started, lets requests in flight finish for up to `deadlineMs`, breaks off and gives back the
   * rest, and records every outcome.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    await this.#release(this.#waiting.removeAll());
    await this.claimer.stop();
    await this.#leaseKeeper.stop();
    await this.#release(this.#waiting.removeAll());
    await Promise.race([Promise.all(this.#inFlight.keys()), this.#options.deliver.wait(deadlineMs)]);
    this.#isAborting = true;
    this.#options.abortRequests();
    await Promise.all(this.#inFlight.keys());
    await this.#releaseUnstarted();
    await this.#options.recorder.flush();
  }

  #room(): number {
    const { slots, recorder } = this.#options;
    if (this.#isDraining || recorder.unrecorded() > Math.max(slots.total * unrecordedPerSlotMax, unrecordedMin)) {
      return 0;
    }
    return computeClaimLimit({
      slotsFree: slots.free(),
      slotsTotal: slots.total,
      waiting: this.#waiting.count(),
      startsPerSecond: this.#startRate.perSecond(),
    });
  }

  #takeOver(attempts: readonly HeldAttempt[]): void {
    const worn = attempts.filter(({ claimCount }) => claimCount > claimCountMax);
    for (const held of worn) {
      this.#options.recorder.push(recordOfClaimsExhausted(held));
    }
    this.#waiting.add(worn.length === 0 ? attempts : attempts.filter(({ claimCount }) => claimCount <= claimCountMax));
  }

  #startWaiting(): void {
    while (!this.#isDraining && this.#options.slots.free() > 0) {
      const attempt = this.#waiting.next();
      if (!attempt) {
        break;
      }
      this.#startDelivery(attempt);
    }
    this.claimer.roomFreed();
  }

  #startDelivery(attempt: LoadedAttempt): void {
    const { slots, report, now } = this.#options;
    slots.take();
    this.#startRate.countStart();
    const task = this.#attemptDelivery(attempt)
      .catch((error: unknown) => report.bug(error, attempt.held))
      .finally(() => {
        this.#inFlight.delete(task);
        slots.giveBack();
        this.#waiting.forget(attempt);
        this.#startWaiting();
      });
    this.#inFlight.set(task, now());
  }

  /** Gives an attempt back that had its slot and was not sent; those of one turn go back in one statement. */
  #letGo(held: HeldAttempt): void {
    this.#unstarted.push(held);
    if (this.#unstarted.length === 1) {
      // Handles its own failure; a drain looks after what is left.
      setImmediate(() => void this.#releaseUnstarted());
    }
  }

  async #releaseUnstarted(): Promise<void> {
    const attempts = this.#unstarted;
    this.#unstarted = [];
    await this.#release(attempts);
  }

  async #release(attempts: readonly HeldAttempt[]): Promise<void> {
    const { leases, report } = this.#options;
    if (attempts.length === 0) {
      return;
    }
    try {
      const released = await leases.release(attempts);
      report.released(released.size);
      attempts.filter(({ requestAttemptId }) => !released.has(requestAttemptId)).forEach(report.leaseLost);
      this.#options.announceReleased();
    } catch (error) {
      // Their leases run out.
      report.renewFailed(error);
    }
  }
}
