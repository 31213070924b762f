import { claimCountMax } from '@postrider/shared/domain/limits';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { Claimer, type ClaimerOptions } from './claimer.ts';
import { createDeliverer, type DelivererOptions } from './deliver.ts';
import { createLeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
import { recordOfCancellation, recordOfClaimsExhausted } from './outcome-record.ts';
import { computeClaimLimit, createEndRate } from './prefetch.ts';
import type { Recorder } from './recorder.ts';
import type { WorkerReport } from './report.ts';
import { createSignal } from './signal.ts';
import { createSkippedSubscriptions, type SkippedSubscriptionsOptions } from './skipped-subscriptions.ts';
import type { Slots } from './slots.ts';
import { type Started, UnderWay } from './under-way.ts';
import { WaitingAttempts, type WaitingAttemptsOptions } from './waiting-attempts.ts';

/** Outcomes waiting for the database at which claiming stops: some per slot, and enough for a moment's hiccup of the database. */
const unrecordedPerSlotMax = 20;
const unrecordedMin = 1000;
/** Payload bytes of waiting attempts and of those in flight. */
const payloadBytesMax = 64 * 1024 * 1024;
/** Before payloads that could not be loaded are asked for again. */
const reloadDelayMs = 250;
/** Requests that are broken off end at once, and those that wait for their subscription within its statement's time limit. */
const abortDeadlineMs = 60_000;

export interface WorkerOptions<Prepared> {
  readonly slots: Slots;
  readonly recorder: Recorder;
  readonly report: WorkerReport;
  readonly claim: Pick<ClaimerOptions, 'claim' | 'nextDueMs' | 'newLeaseId' | 'workerProcessId' | 'servedPools' | 'callOthers'>;
  readonly leases: Pick<LeaseKeeperOptions, 'renew' | 'release'>;
  readonly loadEvents: WaitingAttemptsOptions['loadEvents'];
  readonly loadPassedOver: SkippedSubscriptionsOptions['load'];
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
  readonly #deliver: (attempt: LoadedAttempt, onEnd: () => void) => void;
  readonly #endRate: ReturnType<typeof createEndRate>;
  readonly #inFlight = new UnderWay<LoadedAttempt>();
  readonly #allEnded = createSignal();
  #isStarting = false;
  #unstarted: HeldAttempt[] = [];
  #paused: HeldAttempt[] = [];
  #isDraining = false;
  #isAborting = false;

  constructor(options: WorkerOptions<Prepared>) {
    const { recorder, report, leaseMs, leaseReserveMs, now } = options;
    this.#options = options;
    this.#endRate = createEndRate(now);
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
      skipped: createSkippedSubscriptions({ load: options.loadPassedOver, onReturned: () => this.claimer.rewind(), now }),
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
    this.#deliver = createDeliverer({
      ...options.deliver,
      record: recorder.push,
      report,
      isAborting: () => this.#isAborting,
      onNotSent: (held) => this.#letGo(held),
      onPaused: (held) => this.#park(held),
      now,
    });
  }

  /** Attempts that are claimed and not started. */
  waiting(): number {
    return this.#waiting.count();
  }

  /** How long the oldest delivery in flight has run, in milliseconds; 0 when there is none. */
  oldestDeliveryMs(): number {
    const oldest = this.#inFlight.oldest();
    return oldest ? this.#options.now() - oldest.startedAtMs : 0;
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
    await this.#releaseWaiting();
    await this.claimer.stop();
    await this.#leaseKeeper.stop();
    await this.#releaseWaiting();
    await this.#whenAllEnded(deadlineMs);
    this.#isAborting = true;
    this.#options.abortRequests();
    await this.#whenAllEnded(abortDeadlineMs);
    await this.#releaseUnstarted();
    await this.#releasePaused();
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
      endsPerSecond: this.#endRate.perSecond(),
    });
  }

  #takeOver(attempts: readonly HeldAttempt[]): void {
    const worn = attempts.filter(({ claimCount }) => claimCount > claimCountMax);
    for (const held of worn) {
      this.#options.recorder.push(recordOfClaimsExhausted(held));
    }
    this.#waiting.add(worn.length === 0 ? attempts : attempts.filter(({ claimCount }) => claimCount <= claimCountMax));
  }

  /** In the next microtask: a connection is free for its next request only when its answer has been dealt with. */
  #startSoon(): void {
    if (!this.#isStarting) {
      this.#isStarting = true;
      queueMicrotask(() => {
        this.#isStarting = false;
        this.#startWaiting();
      });
    }
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
    const { slots, now } = this.#options;
    slots.take();
    const delivery = this.#inFlight.start(attempt, now());
    this.#deliver(attempt, () => this.#endDelivery(delivery));
  }

  #endDelivery(delivery: Started<LoadedAttempt>): void {
    // An error after the end of a delivery ends it a second time.
    if (this.#inFlight.end(delivery)) {
      this.#options.slots.giveBack();
      this.#endRate.countEnd();
      this.#waiting.forget(delivery.item);
      this.#startSoon();
      if (this.#inFlight.count() === 0) {
        this.#allEnded.raise();
      }
    }
  }

  async #whenAllEnded(deadlineMs: number): Promise<void> {
    const until = this.#options.now() + deadlineMs;
    while (this.#inFlight.count() > 0 && this.#options.now() < until) {
      await this.#allEnded.wait(until - this.#options.now());
    }
  }

  /** Gives an attempt back that had its slot and was not sent; those of one turn go back in one statement. */
  #letGo(held: HeldAttempt): void {
    this.#unstarted.push(held);
    if (this.#unstarted.length === 1) {
      // Handles its own failure; a drain looks after what is left.
      setImmediate(() => void this.#releaseUnstarted());
    }
  }

  /** Gives an attempt back whose subscription is paused, which nobody need hear of. */
  #park(held: HeldAttempt): void {
    this.#paused.push(held);
    if (this.#paused.length === 1) {
      // Handles its own failure; a drain looks after what is left.
      setImmediate(() => void this.#releasePaused());
    }
  }

  async #releaseUnstarted(): Promise<void> {
    const attempts = this.#unstarted;
    this.#unstarted = [];
    if ((await this.#release(attempts)) > 0) {
      this.#options.announceReleased();
    }
  }

  async #releasePaused(): Promise<void> {
    const attempts = this.#paused;
    this.#paused = [];
    await this.#release(attempts);
  }

  async #releaseWaiting(): Promise<void> {
    if ((await this.#release(this.#waiting.removeAll())) > 0) {
      this.#options.announceReleased();
    }
  }

  /** Returns how many went back. */
  async #release(attempts: readonly HeldAttempt[]): Promise<number> {
    const { leases, report } = this.#options;
    if (attempts.length === 0) {
      return 0;
    }
    try {
      const released = await leases.release(attempts);
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
