import type { Logger } from 'pino';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { NextStep } from '@postrider/shared/domain/next-step';
import type { SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import type { HeldAttempt } from './attempt.ts';
import type { LookupResult } from './http/dns.ts';
import type { WorkerMetrics } from './metrics.ts';
import type { OperationalReport } from './operational-events.ts';
import type { RecordedOutcome } from './recorder.ts';

/**
 * What operators hear of a worker's work: the only place that logs about attempts and counts them. One line per attempt: at level debug
 * when it succeeded, at info when it did not.
 */
export function createReport(logger: Logger, metrics: WorkerMetrics) {
  return {
    ...reportLeases(logger, metrics),
    ...reportDeliveries(logger, metrics),
    ...reportLookups(logger, metrics),
    ...reportRecords(logger, metrics),
    ...reportHealth(logger, metrics),
    operationalEvents: reportOperationalEvents(logger, metrics),
  };
}

export type WorkerReport = ReturnType<typeof createReport>;

function reportLeases(logger: Logger, metrics: WorkerMetrics) {
  function leaseLost(attempt: { requestAttemptId: string; leaseId: string }): void {
    metrics.leasesLost.inc();
    logger.warn(
      { event: 'lease_lost', requestAttemptId: attempt.requestAttemptId, leaseId: attempt.leaseId },
      'the lease of an attempt was lost; its outcome is dropped',
    );
  }

  return {
    leaseLost,
    claimed({ attempts, tookMs }: { attempts: readonly HeldAttempt[]; tookMs: number }): void {
      metrics.claimDuration.observe(tookMs / 1000);
      if (attempts.length === 0) {
        return;
      }
      metrics.claimRows.observe(attempts.length);
      for (const { lagMs, claimCount, requestAttemptId, isParked } of attempts) {
        // What is parked is late on purpose.
        if (!isParked) {
          metrics.deliveryLag.observe(lagMs / 1000);
        }
        if (claimCount > 1) {
          metrics.leasesExpired.inc();
          logger.warn({ event: 'lease_expired', requestAttemptId, claimCount }, 'claimed an attempt whose earlier lease had run out');
        }
      }
    },
    claimFailed(error: unknown): void {
      metrics.claimFailures.inc();
      logger.warn({ event: 'claim.failed', err: error }, 'could not claim; trying again');
    },
    released(count: number): void {
      metrics.released.inc(count);
      logger.info({ event: 'attempts.released', count }, 'gave attempts back to the queue');
    },
    renewFailed(error: unknown): void {
      logger.warn({ event: 'renew.failed', err: error }, 'could not renew leases; trying again');
    },
  };
}

function reportDeliveries(logger: Logger, metrics: WorkerMetrics) {
  return {
    attempted(attempt: HeldAttempt, outcome: DeliveryOutcome, nextStep: NextStep): void {
      metrics.deliveryDuration.observe(outcome.elapsedMs / 1000);
      const failedAs = failureName(outcome, nextStep);
      if (failedAs === null) {
        if (logger.isLevelEnabled('debug')) {
          logger.debug(attemptLine(attempt, outcome, nextStep), 'delivery attempted');
        }
        return;
      }
      if (outcome.kind === 'own_fault') {
        metrics.ownFaults.inc();
      } else {
        metrics.deliveryErrors.inc({ error_name: failedAs });
      }
      logger.info({ ...attemptLine(attempt, outcome, nextStep), errorName: failedAs }, 'delivery attempted');
    },
    cancelled(attempt: HeldAttempt, reason: string): void {
      logger.info({ event: 'delivery.cancelled', requestAttemptId: attempt.requestAttemptId, reason }, 'attempt not sent');
    },
    loadFailed(error: unknown): void {
      logger.warn({ event: 'load.failed', err: error }, 'could not load what deliveries need; trying again');
    },
    secretUnreadable(error: unknown, subscriptionId: string): void {
      logger.error({ event: 'secret.unreadable', subscriptionId, err: error }, 'the secret of a subscription cannot be read');
    },
    bug(error: unknown, attempt: HeldAttempt): void {
      logger.error({ event: 'delivery.bug', requestAttemptId: attempt.requestAttemptId, err: error }, 'a delivery failed unexpectedly');
    },
  };
}

function reportLookups(logger: Logger, metrics: WorkerMetrics) {
  return {
    lookedUp(result: LookupResult): void {
      metrics.dnsLookups.inc({ result });
    },
    resolverHealthChanged(hasFailed: boolean): void {
      if (hasFailed) {
        logger.error({ event: 'resolver.failed' }, 'no name server answers; attempts do not use up retries for it');
      } else {
        logger.info({ event: 'resolver.recovered' }, 'name servers answer again');
      }
    },
  };
}

function reportRecords(logger: Logger, metrics: WorkerMetrics) {
  return {
    recorded({ outcomes, tookMs }: { outcomes: readonly RecordedOutcome[]; tookMs: number }): void {
      metrics.recordDuration.observe(tookMs / 1000);
      metrics.recordRows.observe(outcomes.length);
      for (const [status, { length }] of Map.groupBy(outcomes, recordedStatus)) {
        metrics.deliveries.inc({ status }, length);
      }
    },
    recordRetried(error: unknown, outcomes: number): void {
      metrics.recordRetries.inc();
      logger.warn({ event: 'record.retried', outcomes, err: error }, 'could not record outcomes; trying again');
    },
    recordRefused(error: unknown, outcome: RecordedOutcome): void {
      logger.error(
        { event: 'record.refused', requestAttemptId: outcome.requestAttemptId, err: error },
        'the database refuses an outcome; it is recorded without its response',
      );
    },
    subscriptionsDisabled(subscriptionIds: readonly string[]): void {
      for (const subscriptionId of subscriptionIds) {
        logger.warn({ event: 'subscription.disabled', subscriptionId, reason: 'gone' }, 'a receiver is gone: its subscription is disabled');
      }
    },
  };
}

function reportHealth(logger: Logger, metrics: WorkerMetrics) {
  return {
    healthChanged(subscriptionId: string, change: { readonly before: SubscriptionHealth; readonly after: SubscriptionHealth }): void {
      const { before, after } = change;
      if (after.parkReason !== null && (before.parkReason === null || (after.holdUntilMs !== null && after.holds !== before.holds))) {
        metrics.parked.inc({ reason: after.parkReason });
        logger.warn(
          {
            event: 'subscription.parked',
            subscriptionId,
            reason: after.parkReason,
            isHeld: after.holdUntilMs !== null,
            failures: after.failures,
          },
          'the attempts of a subscription in trouble are parked',
        );
      } else if (after.parkReason === null && before.parkReason !== null) {
        metrics.unparked.inc();
        logger.info({ event: 'subscription.recovered', subscriptionId }, 'the attempts of a subscription are in the normal lane again');
      }
    },
    subscriptionFailing(subscriptionId: string): void {
      logger.warn(
        { event: 'subscription.disabled', subscriptionId, reason: 'failing' },
        'a receiver did nothing but fail for too long: its subscription is disabled',
      );
    },
    healthFailed(error: unknown): void {
      logger.warn({ event: 'health.failed', err: error }, 'could not write the health of a subscription; trying again');
    },
  };
}

/** A failure that lasts is logged now and then, not for each event. */
const operationalFailureLogMs = 60_000;

function reportOperationalEvents(logger: Logger, metrics: WorkerMetrics): OperationalReport {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  return {
    ingested: (count) => metrics.operationalEvents.inc({ result: 'ingested' }, count),
    repeated: (count) => metrics.operationalEvents.inc({ result: 'repeated' }, count),
    failed({ count, applicationId, cause }) {
      metrics.operationalEvents.inc({ result: 'failed' }, count);
      if (performance.now() - loggedAtMs >= operationalFailureLogMs) {
        loggedAtMs = performance.now();
        logger.warn({ event: 'operational_events.failed', applicationId, count, err: cause }, 'could not ingest operational events');
      }
    },
  };
}

function attemptLine(attempt: HeldAttempt, outcome: DeliveryOutcome, nextStep: NextStep) {
  return {
    event: 'delivery.attempted',
    requestAttemptId: attempt.requestAttemptId,
    eventId: attempt.eventId,
    subscriptionId: attempt.subscriptionId,
    retryCount: attempt.retryCount,
    elapsedMs: Math.round(outcome.elapsedMs),
    httpCode: outcome.kind === 'response' ? outcome.response.httpCode : null,
    nextStep: nextStep.kind,
  };
}

/** The name under which a failure counts; null for a success. */
function failureName(outcome: DeliveryOutcome, nextStep: NextStep): string | null {
  if (nextStep.kind === 'succeed') {
    return null;
  }
  switch (outcome.kind) {
    case 'response':
      return 'E_HTTP';
    case 'error':
      return outcome.errorName;
    case 'own_fault':
      return 'own_fault';
  }
}

function recordedStatus(outcome: RecordedOutcome): 'succeeded' | 'retried' | 'gave_up' | 'cancelled' {
  if (outcome.succeeded) {
    return 'succeeded';
  }
  if (outcome.retryDelayMs !== null) {
    return 'retried';
  }
  return outcome.elapsedMs === null ? 'cancelled' : 'gave_up';
}
