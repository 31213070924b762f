import type { Claim, ClaimedBatch } from '@postrider/shared/database/queries/claim-request-attempts';
import type { PassedOverSubscription } from '@postrider/shared/database/queries/load-passed-over-subscriptions';
import type { OutcomeToRecord } from '@postrider/shared/database/queries/record-outcomes';
import type { LeasedAttempt } from '@postrider/shared/database/queries/renew-leases';
import type { ClaimedAttempt } from '@postrider/shared/database/claimed-attempt-row';
import type { LoadedEvent } from '@postrider/shared/database/loaded-event-row';
import type { SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import type { Rate } from '../subscription-traffic.ts';

/** A row of subscription with its row of subscription_health. Times are of the database's clock. */
export interface ModelSubscription {
  readonly id: string;
  readonly inFlightMax: number | null;
  readonly rate: Rate | null;
  isDisabled: boolean;
  pausedAtMs: number | null;
  parkedAtMs: number | null;
  unsettledSinceMs: number | null;
  health: SubscriptionHealth | null;
  ownerId: number | null;
  ownedUntilMs: number | null;
}

/** A row of open_attempt. */
export interface ModelAttempt {
  readonly id: string;
  readonly eventId: string;
  readonly subscription: ModelSubscription;
  readonly dueAtMs: number;
  readonly retryCount: number;
  lane: number;
  leaseId: string | null;
  leasedUntilMs: number | null;
  claimCount: number;
}

/** How an attempt ended. */
export interface ModelEnd {
  readonly attempt: ModelAttempt;
  readonly kind: 'succeeded' | 'retried' | 'given_up' | 'cancelled';
}

const applicationId = 'application';
/** What every event carries. */
export const modelEvent: LoadedEvent = { payload: Buffer.alloc(0), payloadContentType: 'application/json' };

/** The queue of a simulation: the statements of claims, leases and records, each as one step, in the words of their SQL. */
export class ModelQueue {
  readonly subscriptions = new Map<string, ModelSubscription>();
  readonly open = new Map<string, ModelAttempt>();
  readonly ends: ModelEnd[] = [];
  readonly #now: () => number;
  readonly #normal = new Set<ModelAttempt>();
  readonly #bySubscription = new Map<ModelSubscription, Set<ModelAttempt>>();
  #made = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Inserts an attempt into the lane that its transaction saw. */
  insert(attempt: Pick<ModelAttempt, 'eventId' | 'subscription' | 'dueAtMs' | 'retryCount' | 'lane'>): void {
    this.#made += 1;
    const id = `attempt-${this.#made}`;
    const made = { ...attempt, id, leaseId: null, leasedUntilMs: null, claimCount: 0 };
    this.open.set(id, made);
    const others = this.#bySubscription.get(attempt.subscription) ?? new Set();
    this.#bySubscription.set(attempt.subscription, others.add(made));
    this.move(made, attempt.lane);
  }

  /** Puts an attempt into a lane. */
  move(attempt: ModelAttempt, lane: number): void {
    attempt.lane = lane;
    if (lane === 0) {
      this.#normal.add(attempt);
    } else {
      this.#normal.delete(attempt);
    }
  }

  delete(attempt: ModelAttempt): void {
    this.open.delete(attempt.id);
    this.#normal.delete(attempt);
    this.#bySubscription.get(attempt.subscription)?.delete(attempt);
  }

  openOf(subscription: ModelSubscription): Iterable<ModelAttempt> {
    return this.#bySubscription.get(subscription) ?? [];
  }

  /** Those that are due and nobody's, in the order of claims. */
  due(attempts: Iterable<ModelAttempt>, limit: number): ModelAttempt[] {
    const nowMs = this.#now();
    return [...attempts]
      .filter((attempt) => attempt.dueAtMs <= nowMs && isFree(attempt, nowMs))
      .toSorted((a, b) => a.dueAtMs - b.dueAtMs)
      .slice(0, limit);
  }

  claim(claim: Claim): ClaimedBatch {
    const skips = new Set(claim.skipped?.subscriptionIds);
    const seen = [...this.#normal].filter(
      ({ dueAtMs, subscription }) => dueAtMs * 1000 >= claim.dueFromMicros && !skips.has(subscription.id),
    );
    const due = this.due(seen, claim.limit);
    const passedOver = this.loadPassedOver([...new Set(due.map(({ subscription }) => subscription.id))]);
    const passed = new Set(passedOver.map(({ subscriptionId }) => subscriptionId));
    return {
      attempts: due
        .filter(({ subscription }) => !passed.has(subscription.id))
        // As if a retry came on another day than its event.
        .map((attempt) => ({ ...this.lease(attempt, claim), event: attempt.retryCount === 0 ? modelEvent : null })),
      seen: due.length,
      nextDueMs: due.length < claim.limit ? this.nextDueMs() : null,
      dueUntilMicros: due.length === 0 ? null : Math.max(...due.map(({ dueAtMs }) => Math.floor(dueAtMs * 1000))),
      passedOver,
    };
  }

  /** Leases one attempt. */
  lease(attempt: ModelAttempt, { leaseId, leaseMs }: { readonly leaseId: string; readonly leaseMs: number }): ClaimedAttempt {
    const nowMs = this.#now();
    attempt.leaseId = leaseId;
    attempt.leasedUntilMs = nowMs + leaseMs;
    attempt.claimCount += 1;
    return {
      applicationId,
      requestAttemptId: attempt.id,
      eventId: attempt.eventId,
      eventReceivedAt: '',
      eventTypeName: 'type',
      subscriptionId: attempt.subscription.id,
      payloadBytes: 10,
      retryCount: attempt.retryCount,
      claimCount: attempt.claimCount,
      lagMs: nowMs - attempt.dueAtMs,
      isTest: false,
      event: null,
    };
  }

  loadPassedOver(subscriptionIds: readonly string[]): PassedOverSubscription[] {
    return subscriptionIds
      .map((id) => this.subscription(id))
      .filter(({ unsettledSinceMs, isDisabled }) => unsettledSinceMs !== null || isDisabled)
      .filter((subscription) => subscription.isDisabled || laneOf(subscription) === 1)
      .map((subscription) => ({
        subscriptionId: subscription.id,
        cancelledUntil: subscription.isDisabled ? 'infinity' : '-infinity',
        isPaused: laneOf(subscription) === 1,
        asOfMicros: Math.floor(this.#now() * 1000),
      }));
  }

  nextDueMs(): number | null {
    const nowMs = this.#now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueAtMs } of this.#normal) {
      nextMs = dueAtMs > nowMs ? Math.min(nextMs, dueAtMs) : nextMs;
    }
    return Number.isFinite(nextMs) ? Math.ceil(nextMs - nowMs) : null;
  }

  renew(leases: readonly LeasedAttempt[], leaseMs: number): Set<string> {
    const held = this.#heldUnder(leases).filter((attempt) => !isFree(attempt, this.#now()));
    held.forEach((attempt) => {
      attempt.leasedUntilMs = this.#now() + leaseMs;
    });
    return new Set(held.map(({ id }) => id));
  }

  release(leases: readonly LeasedAttempt[]): Set<string> {
    const held = this.#heldUnder(leases);
    for (const attempt of held) {
      attempt.leaseId = null;
      attempt.leasedUntilMs = null;
      attempt.claimCount -= 1;
      this.move(attempt, laneOf(attempt.subscription) === 1 ? 1 : attempt.lane);
    }
    return new Set(held.map(({ id }) => id));
  }

  record(outcomes: readonly OutcomeToRecord[]): Set<string> {
    const recorded = new Set<string>();
    for (const outcome of outcomes) {
      const [attempt] = this.#heldUnder([outcome]);
      if (attempt) {
        this.delete(attempt);
        recorded.add(attempt.id);
        this.#end(attempt, outcome);
      }
    }
    return recorded;
  }

  subscription(id: string): ModelSubscription {
    const found = this.subscriptions.get(id);
    if (!found) {
      throw new Error(`there is no subscription ${id}`);
    }
    return found;
  }

  #end(attempt: ModelAttempt, { succeeded, retryDelayMs, retryCount, reason }: OutcomeToRecord): void {
    const { subscription, eventId } = attempt;
    const isRetried = retryDelayMs !== null && !subscription.isDisabled;
    if (isRetried) {
      const dueAtMs = this.#now() + retryDelayMs;
      this.insert({ eventId, subscription, dueAtMs, retryCount: retryCount ?? 0, lane: laneOf(subscription) });
    }
    const isCancelled = (retryDelayMs !== null && !isRetried) || reason === 'cancelled';
    const failure = isRetried ? 'retried' : 'given_up';
    this.ends.push({ attempt, kind: succeeded ? 'succeeded' : isCancelled ? 'cancelled' : failure });
  }

  #heldUnder(leases: readonly Pick<LeasedAttempt, 'requestAttemptId' | 'leaseId'>[]): ModelAttempt[] {
    return leases.flatMap(({ requestAttemptId, leaseId }) => {
      const attempt = this.open.get(requestAttemptId);
      return attempt?.leaseId === leaseId ? [attempt] : [];
    });
  }
}

/** A subscription without anything particular. */
export function subscriptionOf(id: string, policy: Partial<Pick<ModelSubscription, 'inFlightMax' | 'rate'>>): ModelSubscription {
  return {
    id,
    inFlightMax: null,
    rate: null,
    isDisabled: false,
    pausedAtMs: null,
    parkedAtMs: null,
    unsettledSinceMs: null,
    health: null,
    ownerId: null,
    ownedUntilMs: null,
    ...policy,
  };
}

/** Where the attempts of a subscription belong. */
export function laneOf({ pausedAtMs, parkedAtMs }: ModelSubscription): number {
  return (pausedAtMs ?? parkedAtMs) === null ? 0 : 1;
}

/** Whether nobody has a lease on an attempt. */
export function isFree({ leasedUntilMs }: ModelAttempt, nowMs: number): boolean {
  return leasedUntilMs === null || leasedUntilMs <= nowMs;
}
