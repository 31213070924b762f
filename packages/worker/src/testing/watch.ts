import { isOnHold, type SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import type { HeldAttempt } from '../attempt.ts';
import type { Rate } from '../subscription-traffic.ts';
import { isFree, type ModelAttempt, type ModelQueue, type ModelSubscription } from './model-queue.ts';

/** What a simulation holds Postrider to. */
export interface Promises {
  /** Nothing is started this long after a hold or a pause began. */
  readonly heldWithinMs: number;
  /** Between a claim and its request lie statements and payloads, which a rate cannot see. */
  readonly rateSlackMs: number;
  /** An attempt of a subscription without any trouble starts within this. */
  readonly healthyWaitMsMax: number;
  /** A subscription with something due, no hold and no pause starts or ends a request within this. */
  readonly starvedMsMax: number;
}

export interface WatchOptions {
  readonly queue: ModelQueue;
  readonly promises: Promises;
  readonly capDefault: number;
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Whether its receiver never gives any trouble. */
  readonly isHealthy: (subscriptionId: string) => boolean;
}

interface Request {
  readonly held: HeldAttempt;
  readonly workerId: number;
}

interface Seen {
  heldSinceMs: number | null;
  movedAtMs: number;
  troubledAtMs: number;
  /** When the next request would be on time by its rate. */
  onTimeAtMs: number;
}

/** Looks on from outside: every request start, and the queue once a second, held to what is promised. */
export class Watch {
  readonly broken: string[] = [];
  starts = 0;
  healthyWaitMs = 0;
  starvedMs = 0;
  readonly #options: WatchOptions;
  readonly #inFlight = new Map<string, Request>();
  /** Attempts whose request nobody knows the end of: their worker died. */
  readonly #sent = new Set<string>();
  readonly #seen = new Map<string, Seen>();
  readonly #leaving = new Set<number>();

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  started(held: HeldAttempt, workerId: number): void {
    const { queue, now, capDefault } = this.#options;
    const subscription = queue.subscription(held.subscriptionId);
    const cap = subscription.inFlightMax ?? capDefault;
    const attempt = queue.open.get(held.requestAttemptId);
    this.starts += 1;
    this.#expect(!this.#sent.has(held.requestAttemptId), held, 'was sent before by a worker that lives');
    this.#inFlight.set(held.requestAttemptId, { held, workerId });
    this.#sent.add(held.requestAttemptId);
    if (attempt) {
      this.#checkLease(held, attempt);
      this.#checkWait(held, attempt);
    } else {
      this.#expect(false, held, 'is not in the queue any more');
    }
    const alike = [...this.#inFlight.values()].filter((request) => request.held.subscriptionId === subscription.id);
    const here = alike.filter((request) => request.workerId === workerId).length;
    const parked = alike.filter((request) => request.held.isParked && !this.#leaving.has(request.workerId)).length;
    this.#expect(here <= cap, held, `is number ${here} in flight of one worker, of ${cap}`);
    this.#expect(parked <= cap, held, `is parked and number ${parked} in flight, of ${cap}`);
    this.#checkHold(held, subscription);
    if (subscription.rate) {
      this.#checkRate(held, subscription.rate);
    }
    this.#seenOf(subscription.id).movedAtMs = now();
  }

  ended(held: HeldAttempt, isSent: boolean): void {
    this.#inFlight.delete(held.requestAttemptId);
    this.#seenOf(held.subscriptionId).movedAtMs = this.#options.now();
    if (!isSent) {
      this.#sent.delete(held.requestAttemptId);
    }
  }

  /** It has given up what is parked, and finishes what it has in flight of that. */
  leaves(workerId: number): void {
    this.#leaving.add(workerId);
  }

  died(workerId: number): void {
    for (const { held, workerId: of } of this.#inFlight.values()) {
      if (of === workerId) {
        this.ended(held, false);
      }
    }
    // What it had answered and not recorded is sent again, too.
    for (const attempt of this.#options.queue.open.values()) {
      if (!this.#inFlight.has(attempt.id)) {
        this.#sent.delete(attempt.id);
      }
    }
  }

  /** Notes what the database learns of a subscription's health. */
  changed({ id }: ModelSubscription, before: SubscriptionHealth, after: SubscriptionHealth): void {
    const nowMs = this.#options.now();
    const seen = this.#seenOf(id);
    if (isOnHold(after, nowMs)) {
      seen.heldSinceMs = isOnHold(before, nowMs) ? seen.heldSinceMs : nowMs;
    }
    this.troubled(id);
  }

  /** Whatever waits for this subscription now may wait for longer. */
  troubled(subscriptionId: string): void {
    const seen = this.#seenOf(subscriptionId);
    seen.troubledAtMs = this.#options.now();
    seen.movedAtMs = this.#options.now();
  }

  /** Looks for subscriptions that wait for too long: to be called now and then. */
  look(): void {
    const { queue, now, promises } = this.#options;
    const nowMs = now();
    const oldest = new Map<ModelSubscription, number>();
    for (const attempt of queue.open.values()) {
      const sinceMs = Math.max(attempt.dueAtMs, attempt.leasedUntilMs ?? 0);
      if (isFree(attempt, nowMs) && sinceMs < (oldest.get(attempt.subscription) ?? nowMs)) {
        oldest.set(attempt.subscription, sinceMs);
      }
    }
    for (const [{ id, pausedAtMs, isDisabled, health }, sinceMs] of oldest) {
      if (pausedAtMs === null && !isDisabled) {
        const starvedMs = nowMs - Math.max(sinceMs, this.#seenOf(id).movedAtMs, health?.holdUntilMs ?? 0);
        this.starvedMs = Math.max(this.starvedMs, starvedMs);
        if (starvedMs > promises.starvedMsMax) {
          this.broken.push(`${nowMs}: subscription ${id} waits for ${Math.round(starvedMs)} ms; ${JSON.stringify(health)}`);
        }
      }
    }
  }

  #checkLease(held: HeldAttempt, attempt: ModelAttempt): void {
    const { now, timeoutMs } = this.#options;
    this.#expect(attempt.dueAtMs <= now(), held, `is early by ${attempt.dueAtMs - now()} ms`);
    this.#expect(attempt.leaseId === held.leaseId, held, 'belongs to another lease');
    this.#expect((attempt.leasedUntilMs ?? 0) > now() + timeoutMs, held, 'may outlive its lease');
  }

  #checkWait(held: HeldAttempt, attempt: ModelAttempt): void {
    const { now, promises, isHealthy } = this.#options;
    const seen = this.#seenOf(held.subscriptionId);
    if (isHealthy(held.subscriptionId) && held.claimCount === 1 && !held.isParked && seen.troubledAtMs < attempt.dueAtMs) {
      const waitedMs = now() - attempt.dueAtMs;
      this.healthyWaitMs = Math.max(this.healthyWaitMs, waitedMs);
      this.#expect(waitedMs <= promises.healthyWaitMsMax, held, `is healthy and waited for ${Math.round(waitedMs)} ms`);
    }
  }

  #checkHold(held: HeldAttempt, { health, pausedAtMs }: ModelSubscription): void {
    const { now, promises } = this.#options;
    const { heldSinceMs } = this.#seenOf(held.subscriptionId);
    if (health && isOnHold(health, now()) && heldSinceMs !== null) {
      this.#expect(now() - heldSinceMs <= promises.heldWithinMs, held, `starts ${now() - heldSinceMs} ms into a hold`);
    }
    if (pausedAtMs !== null) {
      this.#expect(now() - pausedAtMs <= promises.heldWithinMs, held, `starts ${now() - pausedAtMs} ms into a pause`);
    }
  }

  /** The generic cell rate algorithm, with the tolerance that rate-keeper.ts states. */
  #checkRate(held: HeldAttempt, { requests, periodMs }: Rate): void {
    const { now, promises } = this.#options;
    const seen = this.#seenOf(held.subscriptionId);
    const intervalMs = periodMs / requests;
    const toleranceMs = Math.max(100 - intervalMs, Math.min(100, intervalMs / 2)) + promises.rateSlackMs;
    const earlyMs = seen.onTimeAtMs - now();
    this.#expect(earlyMs <= toleranceMs, held, `is ahead of its rate by ${Math.round(earlyMs)} ms`);
    seen.onTimeAtMs = Math.max(seen.onTimeAtMs, now()) + intervalMs;
  }

  #expect(holds: boolean, { requestAttemptId, subscriptionId, isParked }: HeldAttempt, otherwise: string): void {
    if (!holds) {
      const lane = isParked ? 'parked' : 'normal';
      this.broken.push(`${Math.round(this.#options.now())}: ${requestAttemptId} of ${subscriptionId} (${lane}) ${otherwise}`);
    }
  }

  #seenOf(subscriptionId: string): Seen {
    const seen = this.#seen.get(subscriptionId) ?? {
      heldSinceMs: null,
      movedAtMs: 0,
      troubledAtMs: Number.NEGATIVE_INFINITY,
      onTimeAtMs: 0,
    };
    this.#seen.set(subscriptionId, seen);
    return seen;
  }
}
