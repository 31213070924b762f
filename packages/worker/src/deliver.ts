import { decideNextStep } from '@postrider/shared/domain/next-step';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { RetrySchedule } from '@postrider/shared/domain/retry-schedule';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { recordOfCancellation, recordOfOutcome } from './outcome-record.ts';
import type { RecordedOutcome } from './recorder.ts';
import type { WorkerReport } from './report.ts';
import { mayStart, type SubscriptionEntry, type Subscriptions } from './subscriptions.ts';

export interface DelivererOptions<Prepared> {
  readonly subscriptions: Subscriptions<Prepared>;
  /** Builds, guards, signs and sends; never rejects for what a receiver does. */
  readonly send: (attempt: LoadedAttempt, prepared: Prepared) => Promise<DeliveryOutcome>;
  readonly schedule: RetrySchedule;
  readonly random: () => number;
  readonly record: (outcome: RecordedOutcome) => void;
  readonly report: WorkerReport;
  /** True once requests in flight are aborted because the process ends: their outcomes say nothing about their receivers. */
  readonly isAborting: () => boolean;
  /** Nothing of this attempt was sent, or what was sent was broken off by us: it goes back to the queue. */
  readonly onNotSent: (attempt: HeldAttempt) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly now: () => number;
}

const reloadDelayMs = 250;

/** Carries one attempt from its slot to the recorder. */
export function createDeliverer<Prepared>(options: DelivererOptions<Prepared>) {
  const { subscriptions, report } = options;

  /** The subscription as it is now; undefined when it could not be read before it became too late to start. */
  async function readSubscription(held: HeldAttempt): Promise<SubscriptionEntry<Prepared> | null | undefined> {
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

  return async function attemptDelivery(attempt: LoadedAttempt): Promise<void> {
    const { held } = attempt;
    const subscription = subscriptions.fresh(held.subscriptionId) ?? (await readSubscription(held));
    if (options.now() >= held.startBeforeMs || options.isAborting() || subscription === undefined) {
      options.onNotSent(held);
      return;
    }
    if (subscription === null || !mayStart(subscription, held.requestAttemptId)) {
      report.cancelled(held, 'cancelled');
      options.record(recordOfCancellation(held, 'cancelled'));
      return;
    }
    const outcome = await options.send(attempt, subscription.prepared);
    if (options.isAborting() && outcome.kind !== 'response') {
      options.onNotSent(held);
      return;
    }
    const nextStep = decideNextStep({ retryCount: held.retryCount, outcome, schedule: options.schedule, random: options.random });
    report.attempted(held, outcome, nextStep);
    options.record(recordOfOutcome(held, outcome, nextStep));
  };
}
