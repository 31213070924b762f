import { claimCountMax } from '@postrider/shared/domain/limits';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { Claimer, type ClaimerOptions } from './claimer.ts';
import { createDeliverer, type DelivererOptions } from './deliver.ts';
import { GiveBack } from './give-back.ts';
import { Isolation, type IsolationOptions } from './isolation.ts';
import { createLeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
import { recordOfCancellation, recordOfClaimsExhausted } from './outcome-record.ts';
import { computeClaimLimit, createPace, type Pace, unrecordedMax } from './prefetch.ts';
import type { Recorder } from './recorder.ts';
import type { WorkerReport } from './report.ts';
import { createSignal } from './signal.ts';
import { createSkippedSubscriptions, type SkippedSubscriptionsOptions } from './skipped-subscriptions.ts';
import type { Slots } from './slots.ts';
import type { Subscriptions, SubscriptionsOptions } from './subscriptions.ts';
import type { SubscriptionTraffic } from './subscription-traffic.ts';
import { type Started, UnderWay } from '@postrider/shared/domain/under-way';
import { WaitingAttempts, type WaitingAttemptsOptions } from './waiting-attempts.ts';

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
  readonly claim: Pick<ClaimerOptions, 'claim' | 'newLeaseId' | 'workerProcessId' | 'servedPools' | 'callOthers'>;
  readonly leases: Pick<LeaseKeeperOptions, 'renew' | 'release'>;
  readonly loadEvents: WaitingAttemptsOptions['loadEvents'];
  readonly loadPassedOver: SkippedSubscriptionsOptions['load'];
  readonly deliver: Pick<DelivererOptions<Prepared>, 'send' | 'schedule' | 'random' | 'wait'>;
  readonly subscriptions: (follow: SubscriptionsOptions<Prepared>['follow']) => Subscriptions<Prepared>;
  readonly isolation: IsolationOptions;
  /** How long nothing is to be claimed or started because this process cannot send. */
  readonly pauseMs: () => number;
  /** Breaks off all requests in flight. */
  readonly abortRequests: () => void;
  /** Announces attempts that were put back to the queue. */
  readonly announceReleased: () => void;
  readonly leaseMs: number;
  /** How much of a lease must be left when a request starts: the request's timeout and a margin. */
  readonly leaseReserveMs: number;
  readonly now: () => number;
  readonly epochNow: () => number;
}

/** Claimer, waiting attempts, slots, deliveries and recorder as one worker. */
export class Worker<Prepared> {
  readonly claimer: Claimer;
  readonly isolation: Isolation;
  readonly #options: WorkerOptions<Prepared>;
  readonly #waiting: WaitingAttempts;
  readonly #giveBack: GiveBack;
  readonly #leaseKeeper: ReturnType<typeof createLeaseKeeper>;
  readonly #deliver: ReturnType<typeof createDeliverer>;
  readonly #pace: Pace;
  readonly #inFlight = new UnderWay<LoadedAttempt>();
  readonly #allEnded = createSignal();
  #isStarting = false;
  #resume: NodeJS.Timeout | null = null;
  #isDraining = false;
  #isAborting = false;

  constructor(options: WorkerOptions<Prepared>) {
    const { recorder, report, leaseMs, leaseReserveMs, now } = options;
    const times = { leaseMs, leaseReserveMs, now };
    this.#options = options;
    this.#pace = createPace(now);
    this.#waiting = new WaitingAttempts({
      loadEvents: options.loadEvents,
      payloadBytesMax,
      pace: this.#pace,
      onLoaded: () => this.#startWaiting(),
      onEventMissing: (held) => recorder.push(recordOfCancellation(held, 'event_missing')),
      onLoadFailed: (error) => {
        report.loadFailed(error);
        setTimeout(() => this.#waiting.load(), reloadDelayMs);
      },
      now,
    });
    this.claimer = new Claimer({
      ...options.claim,
      skipped: createSkippedSubscriptions({ load: options.loadPassedOver, onReturned: () => this.claimer.rewind(), now }),
      ...times,
      room: () => this.#room(),
      payloads: () => ({ receivedOnDayOf: options.epochNow(), bytesMax: this.#waiting.claimedPayloadBytesMax() }),
      onClaimed: (attempts) => this.#takeOver(attempts),
      pace: this.#pace,
      report,
    });
    recorder.onRoom(() => this.claimer.roomFreed());
    this.isolation = new Isolation(options.isolation, {
      slots: options.slots,
      newLeaseId: options.claim.newLeaseId,
      workerProcessId: options.claim.workerProcessId,
      ...times,
      mayClaim: () => this.#mayClaim(),
      waiting: () => this.#waiting.startingBefore(Number.POSITIVE_INFINITY),
      onClaimed: (attempts) => this.#takeOver(attempts),
      inFlight: () => this.#inFlight.entries(),
      startSoon: () => this.#startSoon(),
      report,
    });
    this.#giveBack = new GiveBack({
      release: options.leases.release,
      parkingKnown: () => this.isolation.health.settled(),
      announce: options.announceReleased,
      onParked: () => this.isolation.parked.wake(),
      report,
    });
    this.#leaseKeeper = createLeaseKeeper({
      ...options.leases,
      startingBefore: (timeMs) => this.#waiting.startingBefore(timeMs),
      remove: (requestAttemptIds) => this.#waiting.remove(requestAttemptIds),
      slotsTotal: options.slots.total,
      ...times,
      report,
    });
    this.#deliver = createDeliverer({
      ...options.deliver,
      subscriptions: options.subscriptions(this.isolation.follow),
      traffic: this.isolation.traffic,
      health: this.isolation.health,
      record: recorder.push,
      report,
      isAborting: () => this.#isAborting,
      onNotSent: (held) => this.#giveBack.letGo(held),
      onParked: (held) => this.#giveBack.park(held),
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
    this.isolation.start();
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
    await this.isolation.stop();
    await this.#leaseKeeper.stop();
    await this.#releaseWaiting();
    await this.#whenAllEnded(deadlineMs);
    this.#isAborting = true;
    this.#options.abortRequests();
    await this.#whenAllEnded(abortDeadlineMs);
    await this.#giveBack.flush();
    await this.#options.recorder.flush();
  }

  #room(): number {
    const { slots } = this.#options;
    if (!this.#mayClaim()) {
      return 0;
    }
    return computeClaimLimit({
      slotsFree: slots.free(),
      slotsTotal: slots.total,
      waiting: this.#waiting.count(),
      deferred: this.isolation.traffic.deferredCount(),
      endsPerSecond: this.#pace.endsPerSecond(),
      refillMs: this.#pace.refillMs(),
    });
  }

  #mayClaim(): boolean {
    const { slots, recorder } = this.#options;
    return !this.#isDraining && this.#options.pauseMs() === 0 && recorder.unrecorded() <= unrecordedMax(slots.total);
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
    const pauseMs = this.#options.pauseMs();
    if (pauseMs > 0) {
      this.#startAfter(pauseMs);
      return;
    }
    while (!this.#isDraining && this.#options.slots.free() > 0) {
      const attempt = this.isolation.traffic.nextDeferred() ?? this.#waiting.next();
      if (!attempt) {
        break;
      }
      this.#startDelivery(attempt);
    }
    this.claimer.roomFreed();
  }

  #startAfter(pauseMs: number): void {
    if (this.#resume === null) {
      this.#resume = setTimeout(() => {
        this.#resume = null;
        this.#startSoon();
      }, pauseMs).unref();
    }
  }

  #startDelivery(attempt: LoadedAttempt): void {
    const { slots, now } = this.#options;
    slots.take();
    const delivery = this.#inFlight.start(attempt, now());
    this.#deliver(attempt, (deferredBy) => {
      if (deferredBy) {
        this.#defer(delivery, deferredBy);
      } else {
        this.#endDelivery(delivery);
      }
    });
  }

  #endDelivery(delivery: Started<LoadedAttempt>): void {
    // An error after the end of a delivery ends it a second time.
    if (this.#inFlight.end(delivery)) {
      this.#options.slots.giveBack();
      this.#pace.countEnd();
      this.#waiting.forget(delivery.item);
      if (delivery.item.held.isParked) {
        this.isolation.parked.roomFreed();
      }
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

  /** Gives the slot of an attempt back whose subscription has no room; it stays in memory. */
  #defer(delivery: Started<LoadedAttempt>, traffic: SubscriptionTraffic): void {
    const { item: attempt } = delivery;
    this.#inFlight.end(delivery);
    this.#options.slots.giveBack();
    if (this.#isDraining) {
      this.#waiting.forget(attempt);
      this.#giveBack.letGo(attempt.held);
    } else {
      this.isolation.traffic.defer(traffic, attempt);
    }
    this.#startSoon();
  }

  async #releaseWaiting(): Promise<void> {
    const deferred = this.isolation.traffic.removeDeferred(() => true);
    deferred.forEach((attempt) => this.#waiting.forget(attempt));
    await this.#giveBack.release([...deferred.map(({ held }) => held), ...this.#waiting.removeAll()]);
  }
}
