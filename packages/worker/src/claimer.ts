import type { Claim, ClaimedBatch } from '@postrider/shared/database/queries/claim-request-attempts';
import type { HeldAttempt } from './attempt.ts';
import { createSignal } from './signal.ts';
import { createWatermark, type Watermark } from './watermark.ts';

/** Attempts of the queue itself; those of troubled subscriptions are parked in another lane. */
const normalLane = 0;
/** Idle workers look this often for what no notification told them of. */
const safetyPollMs = 1000;
const failureDelayMinMs = 100;
const failureDelayMaxMs = 5000;

export interface ClaimerOptions {
  readonly claim: (claim: Claim) => Promise<ClaimedBatch>;
  readonly nextDueMs: (poolId: number, lane: number) => Promise<number | null>;
  readonly newLeaseId: () => string;
  readonly workerProcessId: () => number;
  readonly servedPools: () => readonly number[];
  /** How many attempts to claim now; 0 when there is no room. */
  readonly room: () => number;
  readonly leaseMs: number;
  /** How much of the lease must be left when a request starts. */
  readonly leaseReserveMs: number;
  readonly onClaimed: (attempts: readonly HeldAttempt[]) => void;
  readonly report: {
    claimed(claim: { attempts: readonly HeldAttempt[]; tookMs: number }): void;
    claimFailed(error: unknown): void;
  };
  readonly now: () => number;
}

export interface Claimer {
  start(): void;
  /** There may be something to claim. */
  wake(): void;
  /** A slot came free. Ends a wait for room, and nothing else: an idle claimer need not look again after each delivery. */
  roomFreed(): void;
  /** Attempts were put back behind the point that claims start from. */
  rewind(): void;
  /** Whether the last claim succeeded. */
  isClaiming(): boolean;
  /** Resolves when the last claim has ended; what it claimed is handed over as always. */
  stop(): Promise<void>;
}

/** Claims batches of due attempts for this process, one statement at a time: several claimers at once only contend. */
export function createClaimer(options: ClaimerOptions): Claimer {
  const signal = createSignal();
  const watermarks = new Map<number, Watermark>();
  let stopped = false;
  let waitsForRoom = false;
  let running: Promise<void> = Promise.resolve();
  let isClaiming = false;

  function watermarkOf(poolId: number): Watermark {
    const watermark = watermarks.get(poolId) ?? createWatermark(options.now);
    watermarks.set(poolId, watermark);
    return watermark;
  }

  /** Claims once from a pool; returns how many attempts came. */
  async function claimFrom(poolId: number): Promise<number> {
    const limit = options.room();
    if (limit === 0 || stopped) {
      return 0;
    }
    const watermark = watermarkOf(poolId);
    const dueFromMicros = watermark.dueFromMicros();
    const leaseId = options.newLeaseId();
    const sentAt = options.now();
    const batch = await options.claim({
      poolId,
      lane: normalLane,
      leaseId,
      leaseMs: options.leaseMs,
      limit,
      workerProcessId: options.workerProcessId(),
      dueFromMicros,
    });
    const tookMs = options.now() - sentAt;
    isClaiming = true;
    watermark.note({ dueFromMicros, limit, tookMs, batch });
    // Counted from before the claim was sent, so that the process never believes in a lease longer than the database does.
    const startBeforeMs = sentAt + options.leaseMs - options.leaseReserveMs;
    const attempts = batch.attempts.map((attempt) => ({ ...attempt, leaseId, startBeforeMs }));
    options.report.claimed({ attempts, tookMs });
    if (attempts.length > 0) {
      options.onClaimed(attempts);
    }
    return attempts.length;
  }

  async function idle(): Promise<void> {
    const waits = await Promise.all(options.servedPools().map((poolId) => options.nextDueMs(poolId, normalLane)));
    const nextDueMs = Math.min(safetyPollMs, ...waits.filter((wait) => wait !== null));
    await signal.wait(Math.max(1, nextDueMs));
  }

  async function run(): Promise<void> {
    let failureDelayMs = failureDelayMinMs;
    while (!stopped) {
      try {
        let claimed = 0;
        for (const poolId of options.servedPools()) {
          claimed += await claimFrom(poolId);
        }
        failureDelayMs = failureDelayMinMs;
        if (options.room() === 0) {
          waitsForRoom = true;
          await signal.wait(safetyPollMs);
          waitsForRoom = false;
        } else if (claimed === 0 && !stopped) {
          await idle();
        }
      } catch (error) {
        isClaiming = false;
        options.report.claimFailed(error);
        await signal.wait(failureDelayMs);
        failureDelayMs = Math.min(failureDelayMs * 2, failureDelayMaxMs);
      }
    }
  }

  return {
    start() {
      running = run();
    },
    wake: signal.raise,
    roomFreed() {
      if (waitsForRoom && options.room() > 0) {
        signal.raise();
      }
    },
    rewind() {
      for (const watermark of watermarks.values()) {
        watermark.rewind();
      }
      signal.raise();
    },
    isClaiming: () => isClaiming,
    async stop() {
      stopped = true;
      signal.raise();
      await running;
    },
  };
}
