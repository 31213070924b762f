import { claimBatchMax } from '@postrider/shared/domain/limits';

/** Rows claimed ahead of the slots last about this long at the measured rate: enough to hide a claim, far inside the lease. */
const prefetchSeconds = 1;
/** Eight batches hide a claim and a fetch of payloads at full speed while the database is busy; more only wait longer for another worker when this one dies. */
const prefetchRowsMax = 8 * claimBatchMax;

export interface ClaimSituation {
  readonly slotsFree: number;
  readonly slotsTotal: number;
  /** Claimed and not started. */
  readonly waiting: number;
  readonly endsPerSecond: number;
}

/** How many attempts to claim now; 0 to wait until slots come free. */
export function computeClaimLimit(situation: ClaimSituation): number {
  const { slotsFree, slotsTotal, waiting, endsPerSecond } = situation;
  const ahead = Math.min(Math.ceil(endsPerSecond * prefetchSeconds), Math.max(prefetchRowsMax, slotsTotal));
  const missing = slotsFree + ahead - waiting;
  // Small refills cost as much as large ones, so a refill waits until half of what is kept ahead is used up, unless a slot idles.
  const idles = slotsFree > 0 && waiting === 0;
  return idles || missing > (slotsFree + ahead) / 2 ? Math.min(missing, claimBatchMax) : 0;
}

/** Shorter, and a handful of answers that come together would count for a rate. */
const windowMs = 50;

/**
 * Measures how many deliveries end per second, smoothed: ends, because a burst of starts into free slots says nothing about how soon these
 * will be free again. Windows are short, so that a worker which finds a backlog works ahead at once.
 */
export function createEndRate(now: () => number) {
  let since = now();
  let ends = 0;
  let perSecond = 0;
  return {
    countEnd(): void {
      ends += 1;
    },
    perSecond(): number {
      const elapsedMs = now() - since;
      if (elapsedMs >= windowMs) {
        perSecond = (perSecond + (ends * 1000) / elapsedMs) / 2;
        since = now();
        ends = 0;
      }
      return perSecond;
    },
  };
}
