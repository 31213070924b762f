import type { OutcomeToRecord } from '@postrider/shared/database/queries/record-outcomes';

/** What a worker records for an attempt that it holds: by default a 200. */
export function outcomeOf(
  attempt: Pick<OutcomeToRecord, 'applicationId' | 'requestAttemptId' | 'leaseId'>,
  changes: Partial<OutcomeToRecord> = {},
): OutcomeToRecord {
  return {
    applicationId: attempt.applicationId,
    requestAttemptId: attempt.requestAttemptId,
    leaseId: attempt.leaseId,
    succeeded: true,
    elapsedMs: 1,
    errorName: null,
    httpCode: 200,
    responseHeaders: {},
    responseBody: null,
    responseBodyTruncated: false,
    retryDelayMs: null,
    retryCount: null,
    reason: null,
    ...changes,
  };
}
