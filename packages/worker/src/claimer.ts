import type { Claim, ClaimedBatch, PayloadsWanted } from '@postrider/shared/database/queries/claim-request-attempts';
import type { HeldAttempt } from './attempt.ts';
import type { Pace } from './prefetch.ts';
import { createSignal } from './signal.ts';
import type { SkippedSubscriptions } from './skipped-subscriptions.ts';
import { createWatermark, type Watermark } from './watermark.ts';

/** Attempts of the queue itself; those of troubled subscriptions are parked in another lane. */
const normalLane = 0;
/** Idle workers look at least this often for what no notification told them of. */
const safetyPollMs = 1000;
const failureDelayMinMs = 100;
const failureDelayMaxMs = 5000;
/** A worker that finds more than it can take calls others this often at most. */
const callOthersEveryMs = 1000;

export interface ClaimerOptions {
  readonly claim: (claim: Claim) => Promise<ClaimedBatch>;
  /** Attempts that the next claim passes over. */
  readonly skipped: SkippedSubscriptions;
  readonly newLeaseId: () => string;
  readonly workerProcessId: () => number;
  readonly servedPools: () => readonly number[];
  /** How many attempts to claim now; 0 when there is no room. */
  readonly room: () => number;
  /** Which payloads come along. */
  readonly payloads: () => PayloadsWanted;
  readonly leaseMs: number;
  /** How much of the lease must be left when a request starts. */
  readonly leaseReserveMs: number;
  readonly onClaimed: (attempts: readonly HeldAttempt[]) => void;
  readonly pace: Pick<Pace, 'noteClaim'>;
  /** There is more due than this process has room for. */
  readonly callOthers: () => void;
  readonly report: {
    claimed(claim: { attempts: readonly HeldAttempt[]; tookMs: number }): void;
    claimFailed(error: unknown): void;
  };
  readonly now: () => number;
}

/** Claims batches of due attempts for this process, one statement at a time: several claimers at once only contend. */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #signal = createSignal();
  readonly #watermarks = new Map<number, Watermark>();
  /** By the last claim from each pool: when what was not due then will be. */
  readonly #nextDueAtMs = new Map<number, number>();
  #stopped = false;
  #waitsForRoom = false;
  #isClaiming = false;
  #claimedAtMs = Number.NEGATIVE_INFINITY;
  #calledOthersAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ClaimerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** There may be something to claim. */
  wake(): void {
    this.#signal.raise();
  }

  /** A slot came free. Ends a wait for room, and nothing else: an idle claimer need not look again after each delivery. */
  roomFreed(): void {
    if (this.#waitsForRoom && this.#options.room() > 0) {
      this.#signal.raise();
    }
  }

  /** Attempts were put back behind the point that claims start from, or are not to be passed over any more. */
  rewind(): void {
    this.#options.skipped.expire();
    for (const watermark of this.#watermarks.values()) {
      watermark.rewind();
    }
    this.#signal.raise();
  }

  /** Whether the last claim succeeded. */
  isClaiming(): boolean {
    return this.#isClaiming;
  }

  /** When the last claim was sent. */
  claimedAtMs(): number {
    return this.#claimedAtMs;
  }

  /** Resolves when the last claim has ended; what it claimed is handed over as always. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#signal.raise();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failureDelayMs = failureDelayMinMs;
    while (!this.#stopped) {
      try {
        const mayHaveMore = await this.#claimFromAll();
        failureDelayMs = failureDelayMinMs;
        if (this.#options.room() === 0) {
          this.#waitsForRoom = true;
          await this.#signal.wait(safetyPollMs);
          this.#waitsForRoom = false;
        } else if (!mayHaveMore && !this.#stopped) {
          await this.#idle();
        }
      } catch (error) {
        this.#isClaiming = false;
        this.#options.report.claimFailed(error);
        await this.#signal.wait(failureDelayMs);
        failureDelayMs = Math.min(failureDelayMs * 2, failureDelayMaxMs);
      }
    }
  }

  async #claimFromAll(): Promise<boolean> {
    let mayHaveMore = false;
    for (const poolId of this.#options.servedPools()) {
      const poolMayHaveMore = await this.#claimFrom(poolId);
      mayHaveMore ||= poolMayHaveMore;
    }
    return mayHaveMore;
  }

  /** Claims once from a pool; returns whether there may be more to claim. */
  async #claimFrom(poolId: number): Promise<boolean> {
    const { claim, skipped, newLeaseId, workerProcessId, leaseMs, leaseReserveMs, now } = this.#options;
    const limit = this.#options.room();
    if (limit === 0 || this.#stopped) {
      return false;
    }
    const skip = await skipped.current();
    const watermark = this.#watermarkOf(poolId);
    const dueFromMicros = watermark.dueFromMicros();
    const leaseId = newLeaseId();
    const sentAt = now();
    this.#claimedAtMs = sentAt;
    const batch = await claim({
      poolId,
      lane: normalLane,
      leaseId,
      leaseMs,
      limit,
      workerProcessId: workerProcessId(),
      dueFromMicros,
      skipped: skip,
      payloads: this.#options.payloads(),
    });
    const tookMs = now() - sentAt;
    this.#nextDueAtMs.set(poolId, batch.nextDueMs === null ? Number.POSITIVE_INFINITY : now() + batch.nextDueMs);
    this.#isClaiming = true;
    watermark.note({ dueFromMicros, limit, tookMs, batch, seenUntilMicros: skip.asOfMicros });
    const newlySkipped = skipped.add(batch.passedOver);
    // Counted from before the claim was sent, so that the process never believes in a lease longer than the database does.
    const startBeforeMs = sentAt + leaseMs - leaseReserveMs;
    const attempts: HeldAttempt[] = [];
    for (const attempt of batch.attempts) {
      attempts.push(Object.assign(attempt, { leaseId, startBeforeMs, isParked: false }));
    }
    this.#options.report.claimed({ attempts, tookMs });
    if (attempts.length > 0) {
      this.#options.pace.noteClaim(tookMs);
      this.#options.onClaimed(attempts);
    }
    if (batch.seen >= limit && this.#options.room() === 0 && sentAt - this.#calledOthersAtMs >= callOthersEveryMs) {
      this.#calledOthersAtMs = sentAt;
      this.#options.callOthers();
    }
    // Behind attempts that were passed over there may be others. Those that the next claim would only find again are not worth one, nor is it
    // worth one to see that nothing is left where fewer were due than asked for.
    return newlySkipped > 0 || batch.seen >= limit;
  }

  /** Waits until something is due, somebody calls, or a full scan is wanted, which finds what a dead worker held. */
  async #idle(): Promise<void> {
    const now = this.#options.now();
    const waits = this.#options.servedPools().map((poolId) => {
      const nextDueInMs = (this.#nextDueAtMs.get(poolId) ?? Number.POSITIVE_INFINITY) - now;
      // A timer may be a part of a millisecond early, and a look before its time would be followed by another.
      return Math.min(nextDueInMs, this.#watermarkOf(poolId).fullScanInMs() + 1);
    });
    await this.#signal.wait(Math.max(1, Math.ceil(Math.min(safetyPollMs, ...waits))));
  }

  #watermarkOf(poolId: number): Watermark {
    const watermark = this.#watermarks.get(poolId) ?? createWatermark(this.#options.now);
    this.#watermarks.set(poolId, watermark);
    return watermark;
  }
}
