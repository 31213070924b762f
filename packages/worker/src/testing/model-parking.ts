import type { ParkedClaim } from '@postrider/shared/database/queries/claim-parked-attempts';
import type { SubscriptionForDelivery } from '@postrider/shared/database/queries/load-subscriptions';
import type { ParkedSubscriptionRow, Taking } from '@postrider/shared/database/queries/take-parked-subscriptions';
import type { ClaimedAttempt } from '@postrider/shared/database/claimed-attempt-row';
import type { SubscriptionHealthRow } from '@postrider/shared/database/subscription-health-row';
import {
  healthy,
  type HealthSignal,
  isHealthy,
  isOnHold,
  nextHealth,
  type SubscriptionHealth,
} from '@postrider/shared/domain/subscription-health';
import { isFree, laneOf, type ModelQueue, type ModelSubscription } from './model-queue.ts';

/** As long as the sweep waits for transactions that did not see a change; shorter, so that it happens. */
const settleAfterMs = 20_000;

export interface ModelParkingOptions {
  readonly queue: ModelQueue;
  readonly capDefault: number;
  readonly ownedForMs: number;
  readonly random: () => number;
  readonly now: () => number;
  /** A hold has begun or ended, as the database has it. */
  readonly onHealthChanged: (subscription: ModelSubscription, before: SubscriptionHealth, after: SubscriptionHealth) => void;
}

/** Who has which parked subscription, and how each does: the statements of health and ownership, each as one step, in the words of their SQL. */
export class ModelParking {
  readonly #options: ModelParkingOptions;

  constructor(options: ModelParkingOptions) {
    this.#options = options;
  }

  load(subscriptionIds: readonly string[]): SubscriptionForDelivery[] {
    return subscriptionIds.map((id) => {
      const subscription = this.#options.queue.subscription(id);
      return {
        ...this.#rowOf(subscription),
        target_method: 'POST',
        target_url: id,
        target_headers: {},
        secret_sealed: Buffer.alloc(0),
        previous_secrets_sealed: [],
        is_live: !subscription.isDisabled,
        is_paused: subscription.pausedAtMs !== null,
        cancelled_until: null,
        retry_schedule: null,
        timeout_ms: null,
      };
    });
  }

  take({ workerProcessId, ownedForMs, takenMax }: Taking): ParkedSubscriptionRow[] {
    const nowMs = this.#options.now();
    const parked = [...this.#options.queue.subscriptions.values()].filter(
      ({ health, pausedAtMs, isDisabled }) => (health?.parkReason ?? null) !== null && pausedAtMs === null && !isDisabled,
    );
    const mine = parked.filter(({ ownerId }) => ownerId === workerProcessId);
    const free = parked
      .filter(({ ownerId, ownedUntilMs }) => ownerId !== workerProcessId && (ownedUntilMs ?? 0) <= nowMs)
      .toSorted((a, b) => (a.ownedUntilMs ?? 0) - (b.ownedUntilMs ?? 0))
      .slice(0, takenMax);
    return [...mine, ...free].map((subscription) => {
      subscription.ownerId = workerProcessId;
      subscription.ownedUntilMs = nowMs + ownedForMs;
      return this.#rowOf(subscription);
    });
  }

  giveUp(workerProcessId: number): void {
    for (const subscription of this.#options.queue.subscriptions.values()) {
      if (subscription.ownerId === workerProcessId) {
        subscription.ownerId = null;
        subscription.ownedUntilMs = null;
      }
    }
  }

  claim({ shares, workerProcessId, ...lease }: ParkedClaim): ClaimedAttempt[] {
    const { queue, now } = this.#options;
    const nowMs = now();
    return shares.flatMap(({ subscriptionId, limit }) => {
      const { ownerId, ownedUntilMs, health, pausedAtMs, isDisabled } = queue.subscription(subscriptionId);
      const isOwned = ownerId === workerProcessId && (ownedUntilMs ?? 0) > nowMs;
      if (!isOwned || pausedAtMs !== null || isDisabled || (health && isOnHold(health, nowMs))) {
        return [];
      }
      return queue.due(queue.openOf(queue.subscription(subscriptionId)), limit).map((attempt) => queue.lease(attempt, lease));
    });
  }

  /** As `changeHealth`; null when the subscription was disabled. */
  change(subscriptionId: string, signals: readonly HealthSignal[], workerProcessId: number): SubscriptionHealth | null {
    const { queue, capDefault, random, now, ownedForMs, onHealthChanged } = this.#options;
    const subscription = queue.subscription(subscriptionId);
    if (subscription.isDisabled) {
      return null;
    }
    const nowMs = now();
    const before = subscription.health ?? healthy;
    const context = { nowMs, cap: subscription.inFlightMax ?? capDefault, isRateLimited: subscription.rate !== null, random };
    const isDue = [...queue.openOf(subscription)].some(({ dueAtMs }) => dueAtMs <= nowMs);
    const seen = signals.filter(({ kind }) => kind !== 'drained' || !isDue);
    const after = seen.reduce((health, signal) => nextHealth(health, signal, context), before);
    if ((subscription.parkedAtMs !== null) !== (after.parkReason !== null)) {
      subscription.parkedAtMs = after.parkReason === null ? null : nowMs;
      subscription.unsettledSinceMs = nowMs;
    }
    subscription.health = isHealthy(after) ? null : after;
    if (after.parkReason === null) {
      subscription.ownerId = null;
      subscription.ownedUntilMs = null;
    } else if ((subscription.ownedUntilMs ?? 0) <= nowMs) {
      subscription.ownerId = workerProcessId;
      subscription.ownedUntilMs = nowMs + ownedForMs;
    }
    onHealthChanged(subscription, before, after);
    if (before.parkReason !== null && after.parkReason === null) {
      this.#move(subscription);
    }
    return after;
  }

  /** Puts attempts where their subscriptions say that they belong, and cancels those that have ended. */
  sweep(): void {
    const { queue, now } = this.#options;
    for (const subscription of queue.subscriptions.values()) {
      if (subscription.unsettledSinceMs !== null) {
        this.#move(subscription);
        const isStray = [...queue.openOf(subscription)].some(({ lane }) => lane !== laneOf(subscription) || subscription.isDisabled);
        if (!isStray && now() - subscription.unsettledSinceMs > settleAfterMs) {
          subscription.unsettledSinceMs = null;
        }
      }
    }
  }

  #move(subscription: ModelSubscription): void {
    const { queue, now } = this.#options;
    for (const attempt of [...queue.openOf(subscription)].filter((open) => isFree(open, now()))) {
      if (subscription.isDisabled) {
        queue.delete(attempt);
        queue.ends.push({ attempt, kind: 'cancelled' });
      } else {
        queue.move(attempt, laneOf(subscription));
      }
    }
  }

  #rowOf(subscription: ModelSubscription): ParkedSubscriptionRow {
    return {
      subscription_id: subscription.id,
      in_flight_max: subscription.inFlightMax,
      rate_requests: subscription.rate?.requests ?? null,
      rate_period_ms: subscription.rate?.periodMs ?? null,
      ...healthRowOf(subscription.health, this.#options.now()),
    };
  }
}

function healthRowOf(health: SubscriptionHealth | null, nowMs: number): SubscriptionHealthRow {
  return {
    park_reason: health?.parkReason ?? null,
    hold_left_ms: health === null || health.holdUntilMs === null ? null : health.holdUntilMs - nowMs,
    budget: health?.budget ?? null,
    budget_goal: health?.budgetGoal ?? null,
    failures: health?.failures ?? null,
    failing_for_ms: health === null || health.failingSinceMs === null ? null : nowMs - health.failingSinceMs,
    throttling: health?.throttling ?? null,
    holds: health?.holds ?? null,
  };
}
