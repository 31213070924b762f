import { claimBatchMax } from '@postrider/shared/domain/limits';

/** Rows claimed ahead of the slots last this long at most: far inside the lease. */
const aheadSeconds = 1;
/** Whole batches cost the database least; what is kept ahead is refilled when half of it is used up. */
const aheadRows = 2 * claimBatchMax;
/** More would be other workers' to deliver, and would wait longer for them when this one dies. */
const aheadRowsMax = 5 * claimBatchMax;
/** Where a claim and its payloads take long: half of what is kept ahead lasts for as long as that and half as long again. */
const refillsAhead = 3;

/**
 * Attempts behind caps that do not count as waiting: they keep nobody from claiming for others. A flood of them would fill the memory, and all of
 * them go back to the queue when their subscription is parked.
 */
const deferredIgnoredMax = 400;
/** Outcomes waiting for the database at which claiming stops: some per slot, and enough for a moment's hiccup of the database. */
const unrecordedPerSlotMax = 20;
const unrecordedMin = 1000;

export interface ClaimSituation {
  readonly slotsFree: number;
  readonly slotsTotal: number;
  /** Claimed and not started. */
  readonly waiting: number;
  /** Of those that were, put off behind the cap of their subscription. */
  readonly deferred: number;
  readonly endsPerSecond: number;
  /** How long a claim and its payloads take lately. */
  readonly refillMs: number;
}

/** How many attempts to claim now; 0 to wait until slots come free. */
export function computeClaimLimit(situation: ClaimSituation): number {
  const { slotsFree, slotsTotal, endsPerSecond, refillMs } = situation;
  const waiting = situation.waiting + Math.max(0, situation.deferred - deferredIgnoredMax);
  const whileRefilling = Math.min((refillsAhead * refillMs * endsPerSecond) / 1000, aheadRowsMax);
  const ahead = Math.ceil(Math.min(endsPerSecond * aheadSeconds, Math.max(aheadRows, whileRefilling, slotsTotal)));
  const missing = slotsFree + ahead - waiting;
  // Small refills cost as much as large ones, so a refill waits until half of what is kept ahead is used up, unless a slot idles.
  const idles = slotsFree > 0 && waiting === 0;
  return idles || missing > (slotsFree + ahead) / 2 ? Math.min(missing, claimBatchMax) : 0;
}

/** Outcomes that may wait for the database while this process goes on to claim. */
export function unrecordedMax(slotsTotal: number): number {
  return Math.max(slotsTotal * unrecordedPerSlotMax, unrecordedMin);
}

/** Shorter, and a handful of answers that come together would count for a rate. */
const windowMs = 50;
/** The share of the latest in an average. */
const latestShare = 0.2;

export interface Pace {
  countEnd(): void;
  noteClaim(tookMs: number): void;
  noteLoad(tookMs: number): void;
  /** How many deliveries end per second, smoothed. */
  endsPerSecond(): number;
  /** How long a claim and the payloads of what it brought take lately. */
  refillMs(): number;
}

/**
 * Measures how fast attempts go and how fast others come. It counts ends, because a burst of starts into free slots says nothing about how soon
 * these will be free again. Windows are short, so that a worker which finds a backlog works ahead at once.
 */
export function createPace(now: () => number): Pace {
  let since = now();
  let ends = 0;
  let perSecond = 0;
  let claimMs = 0;
  let loadMs = 0;
  return {
    countEnd() {
      ends += 1;
    },
    noteClaim(tookMs) {
      claimMs += latestShare * (tookMs - claimMs);
    },
    noteLoad(tookMs) {
      loadMs += latestShare * (tookMs - loadMs);
    },
    refillMs: () => claimMs + loadMs,
    endsPerSecond() {
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
