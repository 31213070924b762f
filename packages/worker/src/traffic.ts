import { type HealthSignal, isOnHold } from '@postrider/shared/domain/subscription-health';
import type { HeldAttempt, LoadedAttempt } from './attempt.ts';
import { newTraffic, type Rate, type SubscriptionTraffic } from './subscription-traffic.ts';
import { createLatencySamples, medianOf } from './latency-samples.ts';

/** What becomes of an attempt that has its turn. */
export type Admission =
  | 'start'
  /** It waits in this process until its subscription has room. */
  | 'defer'
  /** Its subscription is parked, or is to be: it goes back to the queue. */
  | 'park';

export interface TrafficOptions {
  readonly slots: { readonly total: number; free(): number };
  /** Requests in flight to a subscription that does not say. */
  readonly capDefault: number;
  readonly signal: (traffic: SubscriptionTraffic, signal: HealthSignal) => void;
  readonly now: () => number;
}

/** An answer after more than this, and more than `slowerTimes` the median of all, is slow; a request in flight for longer hangs. */
const slowMs = 2000;
const slowerTimes = 5;
/** A receiver that answered within this time may use slots that others may not. */
const provenMs = 60_000;
const latenciesKept = 8;
/** Attempts behind their cap that are kept in this process, in caps, and how long: a burst passes, a backlog is parked. */
const deferredCaps = 8;
const deferredMin = 50;
const deferredMsMax = 1000;
/**
 * Before so much time, many that wait say nothing: a worker that begins with a backlog has its first answers by then. With less, the backlog of a
 * receiver that takes 100 ms was parked, where one worker has it and half of its slots; with more, receivers that hang hold up the others for
 * longer, one after the other, when a worker begins beside them.
 */
const deferredMsMin = 250;
/** A subscription whose receiver is gone is disabled within the first half, and seen as it was for at most the second. */
const goneMs = 2000;
/** Traffic that was not used for this long is forgotten. */
const keptMs = 60_000;

/**
 * Keeps one receiver from taking the slots of the others: requests in flight to each subscription are limited, and a part of the slots is
 * for those that are known to answer. What does not fit waits here for a moment, and is parked when the moment gets long.
 */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #bySubscription = new Map<string, SubscriptionTraffic>();
  readonly #withDeferred = new Set<SubscriptionTraffic>();
  readonly #reserved: number;
  readonly #latencies = createLatencySamples();

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#reserved = Math.floor(options.slots.total / 4);
  }

  of(subscriptionId: string): SubscriptionTraffic {
    const known = this.#bySubscription.get(subscriptionId);
    if (known) {
      return known;
    }
    const made = newTraffic(subscriptionId, this.#options.capDefault, this.#options.now());
    this.#bySubscription.set(subscriptionId, made);
    return made;
  }

  /** Takes over what the subscription says of itself; null leaves it to the process. */
  setPolicy(traffic: SubscriptionTraffic, policy: { readonly inFlightMax: number | null; readonly rate: Rate | null }): void {
    traffic.cap = Math.min(policy.inFlightMax ?? this.#options.capDefault, this.#options.slots.total);
    traffic.rate = policy.rate;
    traffic.usedAtMs = this.#options.now();
  }

  /** Decides about an attempt whose turn it is, and which has its slot. */
  admit(traffic: SubscriptionTraffic, held: Pick<HeldAttempt, 'isTest' | 'isParked'>): Admission {
    if (held.isTest) {
      return 'start';
    }
    if (this.#isGone(traffic)) {
      return 'defer';
    }
    if (held.isParked) {
      // Its share of the budget was taken when it was claimed.
      return isOnHold(traffic.health, this.#options.now()) ? 'park' : 'start';
    }
    if (traffic.rate !== null && traffic.health.parkReason === null) {
      this.#options.signal(traffic, { kind: 'rate_limited' });
    }
    if (traffic.health.parkReason !== null) {
      return 'park';
    }
    return this.#hasRoom(traffic, this.#options.slots.free()) ? 'start' : 'defer';
  }

  started(traffic: SubscriptionTraffic): void {
    traffic.inFlight += 1;
    traffic.usedAtMs = this.#options.now();
  }

  /** A request has ended after so many milliseconds. */
  ended(traffic: SubscriptionTraffic, elapsedMs: number): void {
    traffic.inFlight -= 1;
    traffic.latenciesMs[traffic.latencyAt] = elapsedMs;
    traffic.latencyAt = (traffic.latencyAt + 1) % latenciesKept;
    if (elapsedMs < slowMs) {
      traffic.answeredAtMs = this.#options.now();
      traffic.isHanging = false;
    }
    this.#latencies.note(elapsedMs);
  }

  /** Its receiver will never take anything again: what waits here waits until the subscription is disabled. */
  gone(traffic: SubscriptionTraffic): void {
    traffic.goneUntilMs = this.#options.now() + goneMs;
  }

  /** Keeps an attempt until its subscription has room. Too many, and the subscription is parked with all of them. */
  defer(traffic: SubscriptionTraffic, attempt: LoadedAttempt): void {
    if (traffic.deferred.length === 0) {
      traffic.deferredSinceMs = this.#options.now();
      this.#withDeferred.add(traffic);
    }
    traffic.deferred.push(attempt);
    if (!this.#mayHaveAll(traffic)) {
      this.#lookAtDeferred(traffic);
    }
  }

  /** The next deferred attempt that has room now, or whose subscription has been parked meanwhile. */
  nextDeferred(): LoadedAttempt | undefined {
    if (this.#withDeferred.size === 0) {
      return undefined;
    }
    // The slot that it will have is free still.
    const free = this.#options.slots.free() - 1;
    for (const traffic of this.#withDeferred) {
      if (!this.#isGone(traffic) && (traffic.health.parkReason !== null || this.#hasRoom(traffic, free))) {
        const attempt = traffic.deferred.shift();
        this.#withDeferred.delete(traffic);
        if (traffic.deferred.length > 0) {
          // Behind the others: they take turns.
          this.#withDeferred.add(traffic);
        }
        if (attempt) {
          return attempt;
        }
      }
    }
    return undefined;
  }

  /** All that are known. */
  all(): Iterable<SubscriptionTraffic> {
    return this.#bySubscription.values();
  }

  /** Attempts that wait here. */
  deferredCount(): number {
    let count = 0;
    for (const { deferred } of this.#withDeferred) {
      count += deferred.length;
    }
    return count;
  }

  /** Takes the deferred attempts out that `leaves` says it of. */
  removeDeferred(leaves: (held: HeldAttempt) => boolean): LoadedAttempt[] {
    const removed: LoadedAttempt[] = [];
    for (const traffic of this.#withDeferred) {
      const stays = traffic.deferred.filter((attempt) => !leaves(attempt.held));
      removed.push(...traffic.deferred.filter((attempt) => leaves(attempt.held)));
      traffic.deferred.splice(0, traffic.deferred.length, ...stays);
      if (stays.length === 0) {
        this.#withDeferred.delete(traffic);
      }
    }
    return removed;
  }

  /**
   * Looks for receivers that hang or hold up their own attempts: to be called a few times a second with the requests in flight, oldest
   * first.
   */
  look(inFlight: Iterable<readonly [LoadedAttempt, number]>): void {
    const nowMs = this.#options.now();
    this.#latencies.refresh();
    const hangingMs = new Map<SubscriptionTraffic, number[]>();
    for (const [{ held }, startedAt] of inFlight) {
      if (nowMs - startedAt < slowMs) {
        break;
      }
      const traffic = this.of(held.subscriptionId);
      traffic.isHanging = true;
      hangingMs.set(traffic, [...(hangingMs.get(traffic) ?? []), nowMs - startedAt]);
    }
    for (const [traffic, agesMs] of hangingMs) {
      if (agesMs.length > 1 && this.isSlow(traffic, agesMs)) {
        this.#options.signal(traffic, { kind: 'overloaded', reason: 'slow' });
      }
    }
    for (const traffic of this.#withDeferred) {
      if (nowMs - traffic.deferredSinceMs > deferredMsMax && traffic.inFlight > 0) {
        this.#signalDeferred(traffic);
      }
    }
    this.#forgetUnused(nowMs);
  }

  /** Whether a receiver's median latency, with requests in flight counted as they are, is far above that of all. */
  isSlow(traffic: SubscriptionTraffic, inFlightMs: readonly number[] = []): boolean {
    const medianMs = medianOf([...traffic.latenciesMs, ...inFlightMs]);
    return medianMs > slowMs && medianMs > slowerTimes * this.#latencies.medianMs();
  }

  /**
   * Within its cap; and one that has not shown lately that it answers starts small, and leaves a quarter of the slots to those that have. Beyond
   * its first request it leaves three quarters, so that a few that hang do not keep many others from theirs.
   */
  #hasRoom(traffic: SubscriptionTraffic, slotsFree: number): boolean {
    if (this.#isProven(traffic)) {
      return traffic.inFlight < traffic.cap;
    }
    return traffic.inFlight < Math.ceil(traffic.cap / 4) && slotsFree >= this.#leftFree(traffic);
  }

  /** Its first request may have a part of the reserve, too: without it, what would answer well could not show it beside many that hang. */
  #leftFree({ inFlight, isHanging }: SubscriptionTraffic): number {
    if (inFlight > 0) {
      return this.#options.slots.total - this.#reserved;
    }
    return isHanging ? this.#reserved : Math.floor(this.#reserved / 2);
  }

  #isProven({ isHanging, answeredAtMs }: SubscriptionTraffic): boolean {
    return !isHanging && this.#options.now() - answeredAtMs < provenMs;
  }

  /** Whether a burst has become a backlog. */
  #lookAtDeferred(traffic: SubscriptionTraffic): void {
    const { length } = traffic.deferred;
    const many = Math.max(traffic.cap * deferredCaps, deferredMin);
    const earlyMs = traffic.deferredSinceMs + deferredMsMin - this.#options.now();
    if (length >= many && earlyMs <= 0) {
      this.#signalDeferred(traffic);
    } else if (length === many) {
      // With so many the worker may have no room for more, and nothing else would bring it here in time.
      setTimeout(() => this.#lookAtDeferred(traffic), Math.ceil(earlyMs) + 1);
    }
  }

  #signalDeferred(traffic: SubscriptionTraffic): void {
    if (this.#mayHaveAll(traffic) && this.#isProven(traffic)) {
      // Left from before its first answers; parked, it would get by with half of the slots of one worker.
      return;
    }
    const reason = traffic.isHanging ? 'slow' : 'over_cap';
    this.#options.signal(traffic, { kind: 'overloaded', reason, isUnproven: !this.#isProven(traffic) });
  }

  /** Whether none of the slots is kept from it once it answers: what waits behind its cap then says nothing but that it has not answered yet. */
  #mayHaveAll({ cap }: SubscriptionTraffic): boolean {
    return cap === this.#options.slots.total;
  }

  #isGone({ goneUntilMs }: SubscriptionTraffic): boolean {
    return goneUntilMs !== null && this.#options.now() < goneUntilMs;
  }

  #forgetUnused(nowMs: number): void {
    for (const [id, traffic] of this.#bySubscription) {
      const isIdle = traffic.inFlight === 0 && traffic.deferred.length === 0 && traffic.unsent.length === 0;
      if (isIdle && nowMs - traffic.usedAtMs > keptMs) {
        this.#bySubscription.delete(id);
      }
    }
  }
}
