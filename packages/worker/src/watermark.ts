import type { ClaimedBatch } from '@postrider/shared/database/queries/claim-request-attempts';

/** Attempts whose transaction commits up to this long after their due time are still found by the next claim. */
const lateCommitMarginMicros = 250_000;
const fullScanPeriodMinMs = 1000;
const fullScanPeriodMaxMs = 10_000;
/**
 * A full scan may take one part in this of a worker's time: with one in twenty, a transaction held open for three minutes doubled the mean
 * time of claims.
 */
const fullScanShare = 100;

export interface NotedClaim {
  readonly dueFromMicros: number;
  readonly limit: number;
  readonly tookMs: number;
  readonly batch: ClaimedBatch;
  /** When the claim skipped attempts: a time before it, up to which it has seen everything that was due unless it filled its batch. */
  readonly seenUntilMicros: number | null;
}

/** Where a claim starts to read the queue. */
export interface Watermark {
  /** The due time, in microseconds since 1970, from which to claim now; 0 for a full scan. */
  dueFromMicros(): number;
  /** How long until the next full scan is wanted, in milliseconds; 0 when it is. */
  fullScanInMs(): number;
  /** Takes note of a claim and how long it took. */
  note(claim: NotedClaim): void;
  /** Makes the next claim a full scan: rows were put back behind the mark. */
  rewind(): void;
}

/**
 * A transaction that is held open elsewhere (a report, a backup) keeps the index entries of finished rows at the head of the queue, and
 * every claim would walk over them. So a claim begins at the latest due time that was claimed. What commits behind that is found by a full
 * scan, every second or less often as it gets dearer, in place of a normal claim.
 */
export function createWatermark(now: () => number): Watermark {
  let markMicros = 0;
  let marginMicros = 0;
  let fullScanAt = now();
  let fullScanPeriodMs = fullScanPeriodMinMs;
  let isRewound = false;
  return {
    dueFromMicros() {
      isRewound = false;
      return now() >= fullScanAt ? 0 : Math.max(0, markMicros - marginMicros);
    },
    fullScanInMs: () => Math.max(0, fullScanAt - now()),
    note({ dueFromMicros, limit, tookMs, batch, seenUntilMicros }) {
      const isFullScan = dueFromMicros === 0;
      const isFilled = batch.seen >= limit;
      if (isFullScan) {
        fullScanPeriodMs = Math.min(Math.max(tookMs * fullScanShare, fullScanPeriodMinMs), fullScanPeriodMaxMs);
        // What is put back while a full scan is under way, it may not have seen.
        fullScanAt = isRewound ? now() : now() + fullScanPeriodMs;
      }
      if (batch.dueUntilMicros !== null) {
        // A full scan that fills its batch has found a backlog behind the mark, so the mark goes back to it.
        markMicros = isFullScan && isFilled ? batch.dueUntilMicros : Math.max(markMicros, batch.dueUntilMicros);
      }
      if (!isFilled && seenUntilMicros !== null) {
        // Past what was skipped: that may be the whole queue, and nothing that was claimed lies behind it.
        markMicros = Math.max(markMicros, seenUntilMicros);
      }
      // In a backlog the next rows are the next due times; at the end of the queue, rows that commit late come behind the mark.
      marginMicros = isFilled ? 0 : lateCommitMarginMicros;
    },
    rewind() {
      isRewound = true;
      fullScanAt = now();
    },
  };
}
