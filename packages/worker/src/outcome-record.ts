import type { NextStep } from '@postrider/shared/domain/next-step';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { HeldAttempt } from './attempt.ts';
import type { RecordedOutcome } from './recorder.ts';

/** Longest error message that is stored in place of a response body. */
const messageLengthMax = 1000;

/** What goes into the log for an attempt that was sent, or that could not be built. */
export function recordOfOutcome(held: HeldAttempt, outcome: DeliveryOutcome, nextStep: NextStep): RecordedOutcome {
  const response = outcome.kind === 'own_fault' ? null : outcome.response;
  const message = outcome.kind === 'response' ? null : Buffer.from(outcome.message.slice(0, messageLengthMax));
  const { retryDelayMs, retryCount, reason } = retryOf(held, nextStep);
  return {
    applicationId: held.applicationId,
    requestAttemptId: held.requestAttemptId,
    leaseId: held.leaseId,
    subscriptionId: held.subscriptionId,
    succeeded: nextStep.kind === 'succeed',
    elapsedMs: Math.round(outcome.elapsedMs),
    errorName: errorNameOf(outcome, nextStep),
    httpCode: response?.httpCode ?? null,
    responseHeaders: response?.headers ?? null,
    responseBody: message ?? response?.body ?? null,
    responseBodyTruncated: message === null && (response?.bodyTruncated ?? false),
    retryDelayMs,
    retryCount,
    reason,
    disablesSubscription: nextStep.kind === 'give_up' && nextStep.reason === 'gone',
    exhausted:
      nextStep.kind === 'give_up' && nextStep.reason === 'retries_exhausted'
        ? { eventId: held.eventId, eventTypeName: held.eventTypeName, retryCount: held.retryCount }
        : null,
  };
}

/** What goes into the log for an attempt that was not sent; it ends there. */
export function recordOfCancellation(held: HeldAttempt, reason: string): RecordedOutcome {
  return {
    applicationId: held.applicationId,
    requestAttemptId: held.requestAttemptId,
    leaseId: held.leaseId,
    subscriptionId: held.subscriptionId,
    succeeded: false,
    elapsedMs: null,
    errorName: null,
    httpCode: null,
    responseHeaders: null,
    responseBody: null,
    responseBodyTruncated: false,
    retryDelayMs: null,
    retryCount: null,
    reason,
    disablesSubscription: false,
    exhausted: null,
  };
}

/** What goes into the log for an attempt whose lease ran out too often: sending it may be what kills its workers. */
export function recordOfClaimsExhausted(held: HeldAttempt): RecordedOutcome {
  return { ...recordOfCancellation(held, 'claims_exhausted'), errorName: 'E_UNKNOWN' };
}

function errorNameOf(outcome: DeliveryOutcome, nextStep: NextStep): string | null {
  switch (outcome.kind) {
    case 'response':
      return nextStep.kind === 'succeed' ? null : 'E_HTTP';
    case 'error':
      return outcome.errorName;
    case 'own_fault':
      return 'E_UNKNOWN';
  }
}

function retryOf(held: HeldAttempt, nextStep: NextStep): Pick<RecordedOutcome, 'retryDelayMs' | 'retryCount' | 'reason'> {
  switch (nextStep.kind) {
    case 'succeed':
      return { retryDelayMs: null, retryCount: null, reason: null };
    case 'give_up':
      return { retryDelayMs: null, retryCount: null, reason: nextStep.reason };
    case 'retry':
      return { retryDelayMs: Math.round(nextStep.delayMs), retryCount: held.retryCount + 1, reason: null };
    case 'retry_uncounted':
      return { retryDelayMs: Math.round(nextStep.delayMs), retryCount: held.retryCount, reason: null };
  }
}
