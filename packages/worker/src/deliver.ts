import { retryScheduleFor } from '@postrider/shared/domain/delivery-policy';
import { decideNextStep } from '@postrider/shared/domain/next-step';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { RetrySchedule } from '@postrider/shared/domain/retry-schedule';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { recordOfCancellation, recordOfOutcome } from './outcome-record.ts';
import type { RecordedOutcome } from './recorder.ts';
import type { WorkerReport } from './report.ts';
import { healthSignalOf } from './health-signal.ts';
import type { HealthKeeper } from './health-keeper.ts';
import type { Traffic } from './traffic.ts';
import type { SubscriptionTraffic } from './subscription-traffic.ts';
import { isHeld, mayStart, type SubscriptionEntry, type Subscriptions } from './subscriptions.ts';

export interface DelivererOptions<Prepared> {
  readonly subscriptions: Subscriptions<Prepared>;
  readonly traffic: Pick<Traffic, 'admit' | 'started' | 'ended' | 'gone'>;
  readonly health: Pick<HealthKeeper, 'signal'>;
  /** Builds, guards, signs and sends, and tells once what came of it; what a receiver does is an outcome, not an error. */
  readonly send: (attempt: LoadedAttempt, prepared: Prepared, onOutcome: (outcome: DeliveryOutcome) => void) => void;
  readonly schedule: RetrySchedule;
  readonly random: () => number;
  readonly record: (outcome: RecordedOutcome) => void;
  readonly report: WorkerReport;
  /** True once requests in flight are aborted because the process ends: their outcomes say nothing about their receivers. */
  readonly isAborting: () => boolean;
  /** Nothing of this attempt was sent, or what was sent was broken off by us: it goes back to the queue. */
  readonly onNotSent: (attempt: HeldAttempt) => void;
  /** Its subscription is paused or parked: it goes back to the queue and waits there. */
  readonly onParked: (attempt: HeldAttempt) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly now: () => number;
}

/**
 * Called when a delivery is over, or its attempt was put off because its subscription has as many requests in flight as it may: then it keeps
 * what it has loaded, and waits in this process.
 */
export type OnEnd = (deferredBy?: SubscriptionTraffic) => void;

const reloadDelayMs = 250;

/**
 * Carries attempts from their slots to the recorder, and calls `onEnd` when each is over. Where nothing is waited for, nothing is a promise:
 * this is the path of every delivery.
 */
export function createDeliverer<Prepared>(options: DelivererOptions<Prepared>) {
  const { subscriptions, report } = options;

  function start(attempt: LoadedAttempt, subscription: SubscriptionEntry<Prepared> | null | undefined, onEnd: OnEnd): void {
    const { held } = attempt;
    if (options.now() >= held.startBeforeMs || options.isAborting() || subscription === undefined) {
      options.onNotSent(held);
      onEnd();
    } else if (subscription === null || !mayStart(subscription, held.requestAttemptId)) {
      report.cancelled(held, 'cancelled');
      options.record(recordOfCancellation(held, 'cancelled'));
      onEnd();
    } else if (isHeld(subscription, held)) {
      options.onParked(held);
      onEnd();
    } else {
      startAdmitted(attempt, subscription, onEnd);
    }
  }

  function startAdmitted(attempt: LoadedAttempt, subscription: SubscriptionEntry<Prepared>, onEnd: OnEnd): void {
    const { traffic } = subscription;
    switch (options.traffic.admit(traffic, attempt.held)) {
      case 'park':
        options.onParked(attempt.held);
        onEnd();
        return;
      case 'defer':
        onEnd(traffic);
        return;
      case 'start':
        options.traffic.started(traffic);
        options.send(attempt, subscription.prepared, (outcome) => {
          try {
            finish(options, attempt.held, subscription, outcome);
          } catch (error) {
            report.bug(error, attempt.held);
          }
          onEnd();
        });
    }
  }

  return function deliver(attempt: LoadedAttempt, onEnd: OnEnd): void {
    const { held } = attempt;
    const known = subscriptions.fresh(held.subscriptionId);
    // A pause that is remembered may have ended since: the attempt would go back to the queue and come again at once.
    const fresh = known && !isHeld(known, held) ? known : undefined;
    function fail(error: unknown): void {
      report.bug(error, held);
      onEnd();
    }
    if (!fresh) {
      void readSubscription(options, held)
        .then((subscription) => start(attempt, subscription, onEnd))
        .catch(fail);
      return;
    }
    try {
      start(attempt, fresh, onEnd);
    } catch (error) {
      fail(error);
    }
  };
}

/** What follows an outcome: for the attempt, for the health of its subscription, and for the log. */
function finish<Prepared>(
  options: DelivererOptions<Prepared>,
  held: HeldAttempt,
  { traffic, retryPolicy }: SubscriptionEntry<Prepared>,
  outcome: DeliveryOutcome,
): void {
  options.traffic.ended(traffic, outcome.elapsedMs);
  if (options.isAborting() && outcome.kind !== 'response') {
    options.onNotSent(held);
    return;
  }
  const nextStep = decideNextStep({
    retryCount: held.retryCount,
    isTest: held.isTest,
    outcome,
    schedule: retryScheduleFor(retryPolicy, options.schedule),
    random: options.random,
  });
  if (nextStep.kind === 'give_up' && nextStep.reason === 'gone') {
    options.traffic.gone(traffic);
  }
  const signal = held.isTest ? null : healthSignalOf(outcome, nextStep);
  if (signal) {
    options.health.signal(traffic, signal);
  }
  options.report.attempted(held, outcome, nextStep);
  options.record(recordOfOutcome(held, outcome, nextStep));
}

/** The subscription as it is now; undefined when it could not be read before it became too late to start. */
async function readSubscription<Prepared>(
  { subscriptions, report, ...options }: DelivererOptions<Prepared>,
  held: HeldAttempt,
): Promise<SubscriptionEntry<Prepared> | null | undefined> {
  while (options.now() < held.startBeforeMs && !options.isAborting()) {
    try {
      return await subscriptions.get(held.subscriptionId);
    } catch (error) {
      report.loadFailed(error);
      await options.wait(reloadDelayMs);
    }
  }
  return undefined;
}
