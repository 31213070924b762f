import { claimBatchMax } from '@postrider/shared/domain/limits';

/** Rows claimed ahead of the slots last about this long at the measured start rate: enough to hide a claim, far inside the lease. */
const prefetchSeconds = 1;
/** Eight batches hide a claim and a fetch of payloads at full speed while the database is busy; more only wait longer for another worker when this one dies. */
const prefetchRowsMax = 8 * claimBatchMax;

export interface ClaimSituation {
  readonly slotsFree: number;
  readonly slotsTotal: number;
  /** Claimed and not started. */
  readonly waiting: number;
  readonly startsPerSecond: number;
}

/** How many attempts to claim now; 0 to wait until slots come free. */
export function computeClaimLimit(situation: ClaimSituation): number {
  const { slotsFree, slotsTotal, waiting, startsPerSecond } = situation;
  const ahead = Math.min(Math.ceil(startsPerSecond * prefetchSeconds), Math.max(prefetchRowsMax, slotsTotal));
  const missing = slotsFree + ahead - waiting;
  // Small refills cost as much as large ones, so a refill waits until half of what is kept ahead is used up, unless a slot idles.
  const idles = slotsFree > 0 && waiting === 0;
  return idles || missing > (slotsFree + ahead) / 2 ? Math.min(missing, claimBatchMax) : 0;
}

/** Measures how many attempts start per second, over windows of a quarter of a second, smoothed. */
export function createStartRate(now: () => number) {
  let since = now();
  let starts = 0;
  let perSecond = 0;
  return {
    countStart(): void {
      starts += 1;
    },
    perSecond(): number {
      const elapsedMs = now() - since;
      if (elapsedMs >= 250) {
        perSecond = (perSecond + (starts * 1000) / elapsedMs) / 2;
        since = now();
        starts = 0;
      }
      return perSecond;
    },
  };
}
