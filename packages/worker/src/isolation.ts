import type { ParkedSubscriptionRow } from '@postrider/shared/database/queries/take-parked-subscriptions';
import { healthOf } from '@postrider/shared/database/subscription-health-row';
import type { HealthSignal } from '@postrider/shared/domain/subscription-health';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { HealthKeeper, type HealthKeeperOptions } from './health-keeper.ts';
import { type HeldCount, ParkedClaimer, type ParkedClaimerOptions } from './parked-claimer.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';
import type { SubscriptionTraffic } from './subscription-traffic.ts';

export interface IsolationOptions {
  readonly capDefault: TrafficOptions['capDefault'];
  readonly take: ParkedClaimerOptions['take'];
  readonly claimParked: ParkedClaimerOptions['claim'];
  /** Lets go of all parked subscriptions that this process has. */
  readonly giveUp: () => Promise<void>;
  readonly change: HealthKeeperOptions['change'];
  readonly wait: HealthKeeperOptions['wait'];
  readonly random: () => number;
}

/** What isolation needs of the worker that it is part of. */
export interface IsolationHost
  extends Pick<ParkedClaimerOptions, 'newLeaseId' | 'workerProcessId' | 'onClaimed' | 'leaseMs' | 'leaseReserveMs' | 'now'> {
  readonly slots: TrafficOptions['slots'];
  /** Whether parked attempts may be claimed at all. */
  readonly mayClaim: () => boolean;
  /** Attempts that are claimed and not started. */
  readonly waiting: () => readonly HeldAttempt[];
  /** Requests in flight and when they started, oldest first. */
  readonly inFlight: () => Iterable<readonly [LoadedAttempt, number]>;
  /** Deferred attempts may start now, or have to go. */
  readonly startSoon: () => void;
  readonly report: ParkedClaimerOptions['report'] & HealthKeeperOptions['report'];
}

const lookEveryMs = 250;

/**
 * Keeps receivers from slowing each other: who may have how much in flight, who is in trouble, and what is delivered for those that are.
 * At most half of the slots work for parked subscriptions.
 */
export class Isolation {
  readonly traffic: Traffic;
  readonly health: HealthKeeper;
  readonly parked: ParkedClaimer;
  readonly #host: IsolationHost;
  readonly #giveUp: IsolationOptions['giveUp'];
  #timer: NodeJS.Timeout | null = null;

  constructor(options: IsolationOptions, host: IsolationHost) {
    this.#host = host;
    this.#giveUp = options.giveUp;
    const { slots, now } = host;
    this.traffic = new Traffic({
      slots,
      capDefault: options.capDefault,
      signal: (traffic: SubscriptionTraffic, signal: HealthSignal) => this.health.signal(traffic, signal),
      now,
    });
    this.health = new HealthKeeper({
      change: options.change,
      onParkingChanged: () => {
        this.parked.takeNow();
        host.startSoon();
      },
      wait: options.wait,
      report: host.report,
      random: options.random,
      now,
    });
    const parkedMax = Math.max(1, Math.floor(slots.total / 2));
    this.parked = new ParkedClaimer({
      ...host,
      take: options.take,
      claim: options.claimParked,
      traffic: this.traffic,
      health: this.health,
      follow: this.follow,
      held: () => this.#held(),
      heldMax: () => (host.mayClaim() ? parkedMax : 0),
      spareSlots: () => slots.free() - parkedMax,
    });
  }

  /** Takes over what a subscription's row says; returns what this process does with it. */
  readonly follow = (row: ParkedSubscriptionRow, readAtMs: number): SubscriptionTraffic => {
    const traffic = this.traffic.of(row.subscription_id);
    const rate =
      row.rate_requests === null || row.rate_period_ms === null ? null : { requests: row.rate_requests, periodMs: row.rate_period_ms };
    this.traffic.setPolicy(traffic, { inFlightMax: row.in_flight_max, rate });
    this.health.loaded(traffic, healthOf(row, readAtMs), readAtMs);
    return traffic;
  };

  start(): void {
    this.parked.start();
    this.#timer = setInterval(() => {
      this.traffic.look(this.#host.inFlight());
      this.health.look(this.traffic.all());
      if (this.traffic.deferredCount() > 0) {
        // What waits for a time rather than for room.
        this.#host.startSoon();
      }
    }, lookEveryMs);
  }

  /** Stops claiming what is parked, and leaves it to others at once: requests in flight may take as long to end as a whole drain. */
  async stop(): Promise<void> {
    if (this.#timer) {
      clearInterval(this.#timer);
    }
    await this.parked.stop();
    await this.#giveUp().catch(this.#host.report.healthFailed);
  }

  /** What is here of each subscription. Counted anew each time: attempts leave in many ways. */
  #held(): ReadonlyMap<string, HeldCount> {
    const counts = new Map<string, HeldCount>();
    const countOf = (subscriptionId: string): HeldCount => {
      const count = counts.get(subscriptionId) ?? { parked: 0, othersInFlight: 0, othersWaiting: 0 };
      counts.set(subscriptionId, count);
      return count;
    };
    for (const { isParked, subscriptionId } of this.#host.waiting()) {
      countOf(subscriptionId)[isParked ? 'parked' : 'othersWaiting'] += 1;
    }
    for (const [{ held }] of this.#host.inFlight()) {
      countOf(held.subscriptionId)[held.isParked ? 'parked' : 'othersInFlight'] += 1;
    }
    return counts;
  }
}
