import {
  healthy,
  type HealthContext,
  type HealthSignal,
  nextHealth,
  type SubscriptionHealth,
} from '@postrider/shared/domain/subscription-health';
import type { SubscriptionTraffic } from './subscription-traffic.ts';

export interface HealthKeeperOptions {
  /**
   * Applies signals to what the database has of a subscription's health, in one transaction; returns what it has then by this process's
   * clock, or null when the subscription has ended.
   */
  readonly change: (traffic: SubscriptionTraffic, signals: readonly HealthSignal[]) => Promise<SubscriptionHealth | null>;
  /** A subscription was parked, or its attempts return to the normal lane. */
  readonly onParkingChanged: (traffic: SubscriptionTraffic) => void;
  readonly wait: (delayMs: number) => Promise<void>;
  readonly report: { healthFailed(error: unknown): void };
  readonly random: () => number;
  readonly now: () => number;
}

/** A run of failures is kept in the database from here on; a shorter one is known to this process only. */
const failuresKept = 5;
const failingMsKept = 60_000;
/** Signals of one subscription that wait for the database; of more, the last ones count. */
const unsentMax = 64;
const retryDelayMs = 1000;

/**
 * Follows the health of subscriptions from what this process sees. Its own picture changes at once; the database is told when a transition
 * has happened that others must know of, one transaction at a time.
 */
export class HealthKeeper {
  readonly #options: HealthKeeperOptions;
  readonly #toWrite = new Set<SubscriptionTraffic>();
  readonly #writtenAtMs = new WeakMap<SubscriptionTraffic, number>();
  #running: Promise<void> | null = null;

  constructor(options: HealthKeeperOptions) {
    this.#options = options;
  }

  signal(traffic: SubscriptionTraffic, signal: HealthSignal): void {
    if (signal.kind === 'succeeded' && traffic.health === healthy) {
      // The path of every delivery.
      return;
    }
    const before = traffic.health;
    traffic.health = nextHealth(before, signal, this.#contextOf(traffic));
    // While a write is under way, what is persisted is about to change.
    if (isSame(traffic.health, traffic.persisted) && !this.#toWrite.has(traffic)) {
      traffic.health = traffic.persisted;
      traffic.unsent.length = 0;
      return;
    }
    traffic.unsent.push(signal);
    if (traffic.unsent.length > unsentMax) {
      traffic.unsent.shift();
    }
    if (this.#isTransition(traffic)) {
      this.#write(traffic);
    }
    if (isParked(before) !== isParked(traffic.health)) {
      this.#options.onParkingChanged(traffic);
    }
  }

  /** The database's picture, read at `readAtMs`; what this process has seen since then is added to it. */
  loaded(traffic: SubscriptionTraffic, health: SubscriptionHealth, readAtMs: number): void {
    const isStale = this.#toWrite.has(traffic) || (this.#writtenAtMs.get(traffic) ?? 0) > readAtMs;
    // Where nothing has changed, what was seen since goes on counting from when it was seen.
    if (isStale || isSame(health, traffic.persisted)) {
      return;
    }
    this.#take(traffic, health);
  }

  /** Runs of failures that have lasted long enough to be remembered: to be called now and then for every subscription that is known. */
  look(traffics: Iterable<SubscriptionTraffic>): void {
    for (const traffic of traffics) {
      if (traffic.unsent.length > 0 && this.#isTransition(traffic)) {
        this.#write(traffic);
      }
    }
  }

  /** Resolves when what was to be written by now is written, or was tried. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #write(traffic: SubscriptionTraffic): void {
    this.#toWrite.add(traffic);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      for (const late of this.#toWrite) {
        this.#write(late);
      }
    });
  }

  async #run(): Promise<void> {
    // Signals of the same turn share a transaction.
    await new Promise((resolve) => setImmediate(resolve));
    for (const traffic of this.#toWrite) {
      const signals = traffic.unsent.splice(0);
      try {
        const written = await this.#options.change(traffic, signals);
        this.#writtenAtMs.set(traffic, this.#options.now());
        this.#toWrite.delete(traffic);
        this.#take(traffic, written ?? healthy);
      } catch (error) {
        traffic.unsent.unshift(...signals);
        this.#options.report.healthFailed(error);
        this.#toWrite.delete(traffic);
        this.#writeLater(traffic);
      }
    }
  }

  #writeLater(traffic: SubscriptionTraffic): void {
    // Handles nothing that could fail.
    void this.#options.wait(retryDelayMs).then(() => this.#write(traffic));
  }

  #take(traffic: SubscriptionTraffic, loaded: SubscriptionHealth): void {
    // The path of every delivery asks whether it is this object.
    const health = isSame(loaded, healthy) ? healthy : loaded;
    const { health: before, persisted } = traffic;
    traffic.persisted = health;
    traffic.health = traffic.unsent.reduce((state, signal) => nextHealth(state, signal, this.#contextOf(traffic)), health);
    if (traffic.unsent.length > 0 && this.#isTransition(traffic)) {
      this.#write(traffic);
    }
    // Also when this process knew and only the database is new to it: from now on somebody may have the subscription.
    if (isParked(before) !== isParked(traffic.health) || isParked(persisted) !== isParked(health)) {
      this.#options.onParkingChanged(traffic);
    }
  }

  /** Whether others have to know: where its attempts belong, until when they wait, and that it fails or does no more. */
  #isTransition({ persisted, health }: SubscriptionTraffic): boolean {
    if (health.parkReason !== persisted.parkReason || health.holdUntilMs !== persisted.holdUntilMs) {
      return true;
    }
    if (health.parkReason !== null && (health.budget < persisted.budget || health.budget >= 2 * persisted.budget)) {
      return true;
    }
    if (persisted.failingSinceMs !== null) {
      return health.failingSinceMs === null || health.failures >= 2 * Math.max(persisted.failures, failuresKept);
    }
    return (
      health.failingSinceMs !== null && (health.failures >= failuresKept || this.#options.now() - health.failingSinceMs >= failingMsKept)
    );
  }

  #contextOf(traffic: SubscriptionTraffic): HealthContext {
    return { nowMs: this.#options.now(), cap: traffic.cap, isRateLimited: traffic.rate !== null, random: this.#options.random };
  }
}

function isParked({ parkReason }: SubscriptionHealth): boolean {
  return parkReason !== null;
}

function isSame(a: SubscriptionHealth, b: SubscriptionHealth): boolean {
  return (
    a.parkReason === b.parkReason &&
    a.holdUntilMs === b.holdUntilMs &&
    a.budget === b.budget &&
    a.budgetGoal === b.budgetGoal &&
    a.failures === b.failures &&
    a.failingSinceMs === b.failingSinceMs &&
    a.throttling === b.throttling &&
    a.holds === b.holds
  );
}
