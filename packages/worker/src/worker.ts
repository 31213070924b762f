import { claimCountMax } from '@postrider/shared/domain/limits';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { type Claimer, type ClaimerOptions, createClaimer } from './claimer.ts';
import { createDeliverer, type DelivererOptions } from './deliver.ts';
import { createLeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
import { recordOfCancellation, recordOfClaimsExhausted } from './outcome-record.ts';
import { computeClaimLimit, createStartRate } from './prefetch.ts';
import type { Recorder } from './recorder.ts';
import type { WorkerReport } from './report.ts';
import type { Slots } from './slots.ts';
import { createWaitingAttempts, type WaitingAttempts, type WaitingAttemptsOptions } from './waiting-attempts.ts';

/** Outcomes waiting for the database, per slot, at which claiming stops. */
const unrecordedPerSlotMax = 20;
/** Payload bytes of waiting attempts and of those in flight. */
const payloadBytesMax = 64 * 1024 * 1024;

export interface WorkerOptions<Prepared> {
  readonly slots: Slots;
  readonly recorder: Recorder;
  readonly report: WorkerReport;
  readonly claim: Pick<ClaimerOptions, 'claim' | 'nextDueMs' | 'newLeaseId' | 'workerProcessId' | 'servedPools'>;
  readonly leases: Pick<LeaseKeeperOptions, 'renew' | 'release'>;
  readonly loadEvents: WaitingAttemptsOptions['loadEvents'];
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

export interface Worker {
  readonly claimer: Pick<Claimer, 'wake' | 'rewind' | 'isClaiming'>;
  waiting(): number;
  /** How long the oldest delivery in flight has run, in milliseconds; 0 when there is none. */
  oldestDeliveryMs(): number;
  start(): void;
  /**
   * Stops claiming, gives back what was not started, lets requests in flight finish for up to `deadlineMs`, breaks off and gives back the
   * rest, and records every outcome.
   */
  drain(deadlineMs: number): Promise<void>;
}

/** Wires claimer, waiting attempts, slots, deliveries and recorder into one worker. */
export function createWorker<Prepared>(options: WorkerOptions<Prepared>): Worker {
  const { slots, recorder, report } = options;
  const startRate = createStartRate(options.now);
  /** Deliveries and when they started, oldest first. */
  const inFlight = new Map<Promise<void>, number>();
  let unstarted: HeldAttempt[] = [];
  let draining = false;
  let aborting = false;

  const waiting: WaitingAttempts = createWaitingAttempts({
    loadEvents: options.loadEvents,
    payloadBytesMax,
    onLoaded: startWaiting,
    onEventMissing: (held) => recorder.push(recordOfCancellation(held, 'event_missing')),
    onLoadFailed(error) {
      report.loadFailed(error);
      setTimeout(waiting.resume, 250);
    },
  });

  const claimer = createClaimer({
    ...options.claim,
    leaseMs: options.leaseMs,
    leaseReserveMs: options.leaseReserveMs,
    room: () =>
      draining || recorder.unrecorded() > slots.total * unrecordedPerSlotMax
        ? 0
        : computeClaimLimit({
            slotsFree: slots.free(),
            slotsTotal: slots.total,
            waiting: waiting.count(),
            startsPerSecond: startRate.perSecond(),
          }),
    onClaimed: takeOver,
    report,
    now: options.now,
  });

  const leaseKeeper = createLeaseKeeper({
    ...options.leases,
    startingBefore: waiting.startingBefore,
    remove: waiting.remove,
    slotsTotal: slots.total,
    leaseMs: options.leaseMs,
    leaseReserveMs: options.leaseReserveMs,
    report,
    now: options.now,
  });

  const attemptDelivery = createDeliverer({
    ...options.deliver,
    record: recorder.push,
    report,
    isAborting: () => aborting,
    onNotSent: letGo,
    now: options.now,
  });

  function takeOver(attempts: readonly HeldAttempt[]): void {
    const worn = attempts.filter(({ claimCount }) => claimCount > claimCountMax);
    for (const held of worn) {
      recorder.push(recordOfClaimsExhausted(held));
    }
    waiting.add(worn.length === 0 ? attempts : attempts.filter(({ claimCount }) => claimCount <= claimCountMax));
  }

  function startWaiting(): void {
    while (!draining && slots.free() > 0) {
      const attempt = waiting.next();
      if (!attempt) {
        break;
      }
      start(attempt);
    }
    claimer.roomFreed();
  }

  function start(attempt: LoadedAttempt): void {
    slots.take();
    startRate.countStart();
    const task = attemptDelivery(attempt)
      .catch((error: unknown) => report.bug(error, attempt.held))
      .finally(() => {
        inFlight.delete(task);
        slots.giveBack();
        waiting.forget(attempt);
        startWaiting();
      });
    inFlight.set(task, options.now());
  }

  /** Gives an attempt back that had its slot and was not sent; those of one turn go back in one statement. */
  function letGo(held: HeldAttempt): void {
    unstarted.push(held);
    if (unstarted.length === 1) {
      setImmediate(() => void releaseUnstarted());
    }
  }

  async function releaseUnstarted(): Promise<void> {
    const attempts = unstarted;
    unstarted = [];
    await release(attempts);
  }

  async function release(attempts: readonly HeldAttempt[]): Promise<void> {
    if (attempts.length === 0) {
      return;
    }
    try {
      const released = await options.leases.release(attempts);
      report.released(released.size);
      attempts.filter(({ requestAttemptId }) => !released.has(requestAttemptId)).forEach(report.leaseLost);
      options.announceReleased();
    } catch (error) {
      // Their leases run out.
      report.renewFailed(error);
    }
  }

  return {
    claimer,
    waiting: waiting.count,
    oldestDeliveryMs() {
      const [startedAt] = inFlight.values();
      return startedAt === undefined ? 0 : options.now() - startedAt;
    },
    start() {
      claimer.start();
      leaseKeeper.start();
    },
    async drain(deadlineMs) {
      draining = true;
      await release(waiting.removeAll());
      await claimer.stop();
      await leaseKeeper.stop();
      await release(waiting.removeAll());
      await Promise.race([Promise.all(inFlight.keys()), options.deliver.wait(deadlineMs)]);
      aborting = true;
      options.abortRequests();
      await Promise.all(inFlight.keys());
      await releaseUnstarted();
      await recorder.flush();
    },
  };
}
