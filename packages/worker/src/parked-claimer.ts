import type { ParkedClaim, ParkedShare } from '@postrider/shared/database/queries/claim-parked-attempts';
import type { ClaimedAttempt } from '@postrider/shared/database/claimed-attempt-row';
import type { ParkedSubscriptionRow } from '@postrider/shared/database/queries/take-parked-subscriptions';
import { claimBatchMax } from '@postrider/shared/domain/limits';
import { isOnHold, type SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import type { HeldAttempt } from './attempt.ts';
import type { HealthKeeper } from './health-keeper.ts';
import { createRateKeeper } from './rate-keeper.ts';
import { createSignal } from './signal.ts';
import type { Traffic } from './traffic.ts';
import type { SubscriptionTraffic } from './subscription-traffic.ts';

/** Attempts of a subscription that a process holds. */
export interface HeldCount {
  /** Parked ones, waiting or in flight. */
  parked: number;
  /** Those in flight that were claimed from the normal lane before it was parked: they count for its budget until they end. */
  othersInFlight: number;
  /** Those from the normal lane that have not been started: they go back to the queue when their turn comes. */
  othersWaiting: number;
}

export interface ParkedClaimerOptions {
  /** Prolongs what this process has of the parked subscriptions and takes some more; returns all that it has. */
  readonly take: () => Promise<ParkedSubscriptionRow[]>;
  readonly claim: (claim: ParkedClaim) => Promise<ClaimedAttempt[]>;
  readonly newLeaseId: () => string;
  readonly workerProcessId: () => number;
  readonly traffic: Traffic;
  readonly health: Pick<HealthKeeper, 'signal'>;
  /** Takes over what a subscription's row says, read at a time. */
  readonly follow: (row: ParkedSubscriptionRow, readAtMs: number) => SubscriptionTraffic;
  /** How many parked attempts this process may hold. */
  readonly heldMax: () => number;
  /** Free slots beyond those that are left to receivers that answer. */
  readonly spareSlots: () => number;
  /** What this process holds, by subscription. */
  readonly held: () => ReadonlyMap<string, HeldCount>;
  readonly onClaimed: (attempts: readonly HeldAttempt[]) => void;
  readonly leaseMs: number;
  readonly leaseReserveMs: number;
  readonly report: {
    claimed(claim: { attempts: readonly HeldAttempt[]; tookMs: number }): void;
    claimFailed(error: unknown): void;
  };
  readonly now: () => number;
}

/** How often ownership is prolonged and what is nobody's is taken. */
const takeEveryMs = 2000;
/** One whose queue was found empty is looked at again after this, or when something came. */
const emptyForMs = 1000;
/** Ends of requests that come together share a claim. */
const gatherMs = 4;
const failureDelayMinMs = 100;
const failureDelayMaxMs = 5000;
const nothingHeld: HeldCount = { parked: 0, othersInFlight: 0, othersWaiting: 0 };

/**
 * Delivers the parked attempts of the subscriptions that this process has. Each is one process's at a time, so that budgets, rates and probes
 * hold across all workers without a further word between them; when the process dies, another one takes its subscriptions over.
 */
export class ParkedClaimer {
  readonly #options: ParkedClaimerOptions;
  readonly #signal = createSignal();
  readonly #rates: ReturnType<typeof createRateKeeper>;
  #owned: SubscriptionTraffic[] = [];
  /** When those found empty are looked at again. */
  readonly #emptyUntilMs = new Map<SubscriptionTraffic, number>();
  /** When each was given a share of the room last. */
  readonly #sharedAtMs = new WeakMap<SubscriptionTraffic, number>();
  #takeAtMs = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ParkedClaimerOptions) {
    this.#options = options;
    this.#rates = createRateKeeper(options.now);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the last claim has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#signal.raise();
    await this.#running;
  }

  /** Subscriptions that this process has. */
  owned(): number {
    return this.#owned.length;
  }

  /** A subscription was parked, or is to be looked at by somebody else from now on. */
  takeNow(): void {
    this.#takeAtMs = 0;
    this.#signal.raise();
  }

  /** Parked attempts were added to the queue. */
  wake(): void {
    if (this.#owned.length > 0) {
      this.#emptyUntilMs.clear();
      this.#signal.raise();
    }
  }

  /** A parked delivery has ended, or a budget has grown. */
  roomFreed(): void {
    if (this.#owned.length > 0) {
      this.#signal.raise();
    }
  }

  async #run(): Promise<void> {
    let failureDelayMs = failureDelayMinMs;
    while (!this.#stopped) {
      try {
        await this.#takeIfDue();
        const waitMs = await this.#claimShares();
        failureDelayMs = failureDelayMinMs;
        await this.#signal.wait(Math.max(1, Math.min(waitMs, this.#takeAtMs - this.#options.now())));
        if (!this.#stopped && this.#owned.length > 0) {
          await pause(gatherMs);
        }
      } catch (error) {
        this.#options.report.claimFailed(error);
        await pause(failureDelayMs);
        failureDelayMs = Math.min(failureDelayMs * 2, failureDelayMaxMs);
      }
    }
  }

  async #takeIfDue(): Promise<void> {
    const { take, follow, now } = this.#options;
    if (now() < this.#takeAtMs) {
      return;
    }
    const readAtMs = now();
    this.#takeAtMs = readAtMs + takeEveryMs;
    const rows = await take();
    this.#owned = rows.map((row) => follow(row, readAtMs));
    const owned = new Set(this.#owned);
    for (const known of this.#emptyUntilMs.keys()) {
      if (!owned.has(known)) {
        this.#emptyUntilMs.delete(known);
      }
    }
    this.#rates.keepOnly(owned);
  }

  /** Claims what budgets and rates allow; returns in how many milliseconds there may be more. */
  async #claimShares(): Promise<number> {
    const { claim, newLeaseId, workerProcessId, leaseMs, leaseReserveMs, now } = this.#options;
    const { shares, waitMs } = this.#computeShares();
    if (shares.length === 0 || this.#stopped) {
      return waitMs;
    }
    const leaseId = newLeaseId();
    const sentAt = now();
    const claimed = await claim({
      shares: shares.map(({ traffic, limit }) => ({
        subscriptionId: traffic.subscriptionId,
        limit,
        isProbe: traffic.health.holdUntilMs !== null,
      })),
      leaseId,
      leaseMs,
      workerProcessId: workerProcessId(),
    });
    const startBeforeMs = sentAt + leaseMs - leaseReserveMs;
    const attempts = claimed.map((attempt): HeldAttempt => Object.assign(attempt, { leaseId, startBeforeMs, isParked: true }));
    this.#options.report.claimed({ attempts, tookMs: now() - sentAt });
    this.#noteEmpty(shares, claimed);
    if (attempts.length > 0) {
      this.#options.onClaimed(attempts);
    }
    return attempts.length > 0 ? 0 : waitMs;
  }

  /** What each subscription may start now, in turns where the room does not do for all. */
  #computeShares(): {
    readonly shares: (Pick<ParkedShare, 'limit'> & { readonly traffic: SubscriptionTraffic })[];
    readonly waitMs: number;
  } {
    const nowMs = this.#options.now();
    const held = this.#options.held();
    let room = this.#options.heldMax() - countParked(held.values());
    let spare = this.#options.spareSlots();
    let waitMs = emptyForMs;
    const candidates: { traffic: SubscriptionTraffic; limit: number }[] = [];
    for (const traffic of this.#owned) {
      const readyInMs = this.#readyInMs(traffic, nowMs);
      if (readyInMs > 0) {
        waitMs = Math.min(waitMs, readyInMs);
        continue;
      }
      const { parked, othersInFlight } = held.get(traffic.subscriptionId) ?? nothingHeld;
      const withinBudget = Math.min(traffic.health.budget, traffic.cap) - othersInFlight - parked;
      // The first requests may hang and the rest be answered: nobody would know before they time out if they kept it from trying one.
      const isStuck = withinBudget < 1 && parked === 0 && othersInFlight < traffic.cap && spare > 0;
      spare -= isStuck ? 1 : 0;
      const limit = Math.min(isStuck ? 1 : withinBudget, this.#rates.available(traffic), claimBatchMax);
      if (limit > 0) {
        candidates.push({ traffic, limit });
      }
    }
    const shares: { traffic: SubscriptionTraffic; limit: number }[] = [];
    // Where the room does not do for all, those come first that have waited for longest: others hold what they have until a timeout.
    candidates.sort((a, b) => (this.#sharedAtMs.get(a.traffic) ?? 0) - (this.#sharedAtMs.get(b.traffic) ?? 0));
    candidates.forEach(({ traffic, limit }, index) => {
      const share = Math.min(limit, Math.ceil(room / (candidates.length - index)));
      if (share > 0) {
        room -= share;
        this.#rates.spend(traffic, share);
        this.#sharedAtMs.set(traffic, nowMs);
        shares.push({ traffic, limit: share });
      }
    });
    return { shares, waitMs };
  }

  #readyInMs(traffic: SubscriptionTraffic, nowMs: number): number {
    if (traffic.health.parkReason === null) {
      return Number.POSITIVE_INFINITY;
    }
    const holdMs = isOnHold(traffic.health, nowMs) ? holdLeftMs(traffic.health, nowMs) : 0;
    const emptyMs = (this.#emptyUntilMs.get(traffic) ?? 0) - nowMs;
    return Math.max(holdMs, emptyMs, this.#rates.readyInMs(traffic));
  }

  #noteEmpty(
    shares: readonly { readonly traffic: SubscriptionTraffic; readonly limit: number }[],
    claimed: readonly ClaimedAttempt[],
  ): void {
    const counts = new Map<string, number>();
    for (const { subscriptionId } of claimed) {
      counts.set(subscriptionId, (counts.get(subscriptionId) ?? 0) + 1);
    }
    for (const { traffic, limit } of shares) {
      const count = counts.get(traffic.subscriptionId) ?? 0;
      if (count < limit) {
        this.#rates.giveBack(traffic, limit - count);
        this.#emptyUntilMs.set(traffic, this.#options.now() + emptyForMs);
      }
    }
    this.#noteDrained(shares.filter(({ traffic }) => !counts.has(traffic.subscriptionId)).map(({ traffic }) => traffic));
  }

  /** Of subscriptions of which nothing could be claimed, those that have nothing here either may leave the parked lane. */
  #noteDrained(emptied: readonly SubscriptionTraffic[]): void {
    if (emptied.length === 0) {
      return;
    }
    const held = this.#options.held();
    for (const traffic of emptied) {
      const { parked, othersInFlight, othersWaiting } = held.get(traffic.subscriptionId) ?? nothingHeld;
      if (parked + othersInFlight + othersWaiting + traffic.deferred.length === 0) {
        this.#options.health.signal(traffic, { kind: 'drained', isSlow: this.#options.traffic.isSlow(traffic) });
      }
    }
  }
}

function countParked(counts: Iterable<HeldCount>): number {
  let total = 0;
  for (const { parked } of counts) {
    total += parked;
  }
  return total;
}

function holdLeftMs({ holdUntilMs }: SubscriptionHealth, nowMs: number): number {
  return (holdUntilMs ?? nowMs) - nowMs;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
