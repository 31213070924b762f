import type { LoadedEvent } from './loaded-event-row.ts';
import type { TextRow } from './pool.ts';

/** An attempt that this worker may deliver until its lease ends. */
export interface ClaimedAttempt {
  readonly applicationId: string;
  readonly requestAttemptId: string;
  readonly eventId: string;
  /** As PostgreSQL writes it: the partition key of the event, passed back as it came. */
  readonly eventReceivedAt: string;
  readonly eventTypeName: string;
  readonly subscriptionId: string;
  readonly payloadBytes: number;
  readonly retryCount: number;
  /** How often the attempt has been claimed, this time included; above 1 an earlier lease ran out. */
  readonly claimCount: number;
  /** Milliseconds between due and claimed. */
  readonly lagMs: number;
  /** A sample that somebody asked for: sent once, also while its subscription is paused. */
  readonly isTest: boolean;
  /** Null when it did not come with the claim: then it is to be loaded. */
  readonly event: LoadedEvent | null;
}

/** The first columns of a claim in their order; `is_test` is the fifteenth. */
export function claimedAttempt(row: TextRow, event: LoadedEvent | null): ClaimedAttempt {
  return {
    applicationId: row[0] ?? '',
    requestAttemptId: row[1] ?? '',
    eventId: row[2] ?? '',
    eventReceivedAt: row[3] ?? '',
    eventTypeName: row[4] ?? '',
    subscriptionId: row[5] ?? '',
    payloadBytes: Number(row[6]),
    retryCount: Number(row[7]),
    claimCount: Number(row[8]),
    lagMs: Number(row[9]),
    isTest: row[14] === 't',
    event,
  };
}
