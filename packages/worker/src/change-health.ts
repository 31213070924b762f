import type { Database, DatabasePool } from '@postrider/shared/database/pool';
import { clearSubscriptionHealth } from '@postrider/shared/database/queries/clear-subscription-health';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { hasDueAttempts } from '@postrider/shared/database/queries/has-due-attempts';
import { hasSucceededSince } from '@postrider/shared/database/queries/has-succeeded-since';
import { lockSubscriptionHealth } from '@postrider/shared/database/queries/lock-subscription-health';
import { moveOpenAttempts } from '@postrider/shared/database/queries/move-open-attempts';
import { writeSubscriptionHealth } from '@postrider/shared/database/queries/write-subscription-health';
import { healthOf } from '@postrider/shared/database/subscription-health-row';
import { massChangeRowsMax } from '@postrider/shared/domain/limits';
import type { OperationalOccurrence } from '@postrider/shared/domain/operational-event';
import {
  type HealthSignal,
  isHealthy,
  isHopeless,
  nextHealth,
  type SubscriptionHealth,
} from '@postrider/shared/domain/subscription-health';
import type { OperationalEvents } from './operational-events.ts';

export interface ChangeHealthOptions {
  readonly db: DatabasePool;
  readonly operationalEvents: Pick<OperationalEvents, 'ingest'>;
  /** Requests in flight to a subscription that does not say. */
  readonly capDefault: number;
  readonly slotsTotal: number;
  readonly disableAfterMs: number;
  readonly workerProcessId: () => number;
  /** How long a process has a parked subscription without a sign of life. */
  readonly ownedForMs: number;
  readonly random: () => number;
  readonly now: () => number;
}

/** What became of a subscription's health. Times are of the process's monotonic clock. */
export type HealthChange =
  | { readonly kind: 'changed'; readonly before: SubscriptionHealth; readonly after: SubscriptionHealth }
  /** There was nothing but failure for too long. */
  | { readonly kind: 'disabled' }
  /** It was disabled or deleted meanwhile. */
  | { readonly kind: 'ended' };

/** Applies what a worker has seen of a receiver to what the database has of its health: under the lock of the subscription, so that no two decide at once. */
export async function changeHealth(
  options: ChangeHealthOptions,
  subscriptionId: string,
  signals: readonly HealthSignal[],
): Promise<HealthChange> {
  const { db, operationalEvents, capDefault, slotsTotal, disableAfterMs, random } = options;
  return db.transaction(async (transaction): Promise<HealthChange> => {
    const row = await lockSubscriptionHealth(transaction, subscriptionId);
    if (!row) {
      return { kind: 'ended' };
    }
    const nowMs = options.now();
    const before = healthOf(row, nowMs);
    const context = { nowMs, cap: Math.min(row.in_flight_max ?? capDefault, slotsTotal), isRateLimited: row.is_rate_limited, random };
    const seen = await withoutFalseDrain(transaction, subscriptionId, signals);
    let after = seen.reduce((health, signal) => nextHealth(health, signal, context), before);
    if (isHopeless(after, nowMs, disableAfterMs) && isFailure(seen.at(-1))) {
      // A worker that did not know of the failures may have seen a success among them and kept it for itself.
      if (!(await hasSucceededSince(transaction, subscriptionId, nowMs - (after.failingSinceMs ?? nowMs)))) {
        await disableGoneSubscriptions(transaction, [subscriptionId], 'failing');
        await clearSubscriptionHealth(transaction, subscriptionId);
        const failingSince = dateOf(after.failingSinceMs, row.read_at, nowMs);
        await operationalEvents.ingest(transaction, [{ kind: 'subscription_disabled', subscriptionId, reason: 'failing', failingSince }]);
        return { kind: 'disabled' };
      }
      after = { ...after, failingSinceMs: nowMs };
    }
    if (isHealthy(after)) {
      await clearSubscriptionHealth(transaction, subscriptionId);
    } else {
      const { workerProcessId, ownedForMs } = options;
      await writeSubscriptionHealth(transaction, {
        applicationId: row.application_id,
        subscriptionId,
        health: after,
        nowMs,
        workerProcessId: workerProcessId(),
        ownedForMs,
      });
    }
    await operationalEvents.ingest(
      transaction,
      occurrencesOf(subscriptionId, { before, after }, dateOf(after.holdUntilMs, row.read_at, nowMs)),
    );
    return { kind: 'changed', before, after };
  });
}

/**
 * The signals without that of a drained queue while any of it is due. What others hold, or are about to give back, is not seen by claims;
 * given back after its subscription had left the parked lane, it would wait there for the sweep.
 */
async function withoutFalseDrain(db: Database, subscriptionId: string, signals: readonly HealthSignal[]): Promise<readonly HealthSignal[]> {
  return signals.some(isDrain) && (await hasDueAttempts(db, subscriptionId)) ? signals.filter((signal) => !isDrain(signal)) : signals;
}

/** What operators hear of a change: that a receiver's trouble begins and ends, not each probe in between. */
function occurrencesOf(
  subscriptionId: string,
  { before, after }: { readonly before: SubscriptionHealth; readonly after: SubscriptionHealth },
  holdUntil: Date | null,
): OperationalOccurrence[] {
  if (isTroubled(before) && !isTroubled(after)) {
    return [{ kind: 'subscription_recovered', subscriptionId }];
  }
  const beginsHold = before.holdUntilMs === null && after.holdUntilMs !== null;
  const begins = isTroubled(after) && (beginsHold || !isTroubled(before));
  return begins && after.parkReason !== null ? [{ kind: 'subscription_held', subscriptionId, reason: after.parkReason, holdUntil }] : [];
}

/** Parked for its receiver's sake; a rate, or more attempts than its cap, is no trouble. */
function isTroubled({ parkReason }: SubscriptionHealth): boolean {
  return parkReason !== null && parkReason !== 'rate' && parkReason !== 'over_cap';
}

/** A time of this process's clock by that of the database, which was `readAt` at `nowMs`. */
function dateOf(timeMs: number | null, readAt: Date, nowMs: number): Date | null {
  return timeMs === null ? null : new Date(readAt.getTime() + timeMs - nowMs);
}

/** Statements that move what a subscription has left in the parked lane; of more, the sweep takes care. */
const movesMax = 10;

/** Brings the attempts of a subscription back that is parked no more; returns the pools that have them to deliver now. */
export async function returnAttempts(db: DatabasePool, subscriptionId: string): Promise<readonly number[]> {
  const poolIds = new Set<number>();
  let dueFromMicros = 0;
  for (let move = 0; move < movesMax; move += 1) {
    const moved = await moveOpenAttempts(db, subscriptionId, { limit: massChangeRowsMax, dueFromMicros });
    moved.poolIds.forEach((poolId) => poolIds.add(poolId));
    dueFromMicros = moved.dueUntilMicros ?? dueFromMicros;
    if (moved.count < massChangeRowsMax) {
      break;
    }
  }
  return [...poolIds];
}

function isDrain({ kind }: HealthSignal): boolean {
  return kind === 'drained';
}

function isFailure(signal: HealthSignal | undefined): boolean {
  return signal?.kind === 'failed' || signal?.kind === 'throttled' || signal?.kind === 'declined';
}
