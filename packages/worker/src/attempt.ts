import type { ClaimedAttempt } from '@postrider/shared/database/claimed-attempt-row';
import type { LoadedEvent } from '@postrider/shared/database/loaded-event-row';

/** An attempt that this process holds a lease on. Times are of the process's monotonic clock, in milliseconds. */
export interface HeldAttempt extends ClaimedAttempt {
  readonly leaseId: string;
  /** A request that starts later could outlive the lease. Moved on by a renewal. */
  startBeforeMs: number;
  /** Claimed through the budget of its subscription, whose attempts are parked. */
  readonly isParked: boolean;
}

/** A held attempt with what it will send. */
export interface LoadedAttempt {
  readonly held: HeldAttempt;
  readonly event: LoadedEvent;
}

/** When the row was made, in milliseconds since 1970: the first 48 bits of a UUIDv7 (RFC 9562, section 5.7). */
export function madeAtMs(requestAttemptId: string): number {
  return Number.parseInt(requestAttemptId.slice(0, 8) + requestAttemptId.slice(9, 13), 16);
}
