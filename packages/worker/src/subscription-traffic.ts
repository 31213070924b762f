import { healthy, type HealthSignal, type SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import type { LoadedAttempt } from './attempt.ts';

/** A rate that a subscription asks for. */
export interface Rate {
  readonly requests: number;
  readonly periodMs: number;
}

/** What this process does with one subscription, and what it knows of its health. Times are of the process's monotonic clock. */
export interface SubscriptionTraffic {
  readonly subscriptionId: string;
  /** Requests that may be in flight at once. */
  cap: number;
  rate: Rate | null;
  inFlight: number;
  /** When it last answered within reasonable time, whatever it said. */
  answeredAtMs: number;
  /** Some request has been in flight for far too long. */
  isHanging: boolean;
  /** Nothing is started before: its receiver said that it is gone for good, and the database is being told. */
  goneUntilMs: number | null;
  /** The last answers took this long, in no particular order. */
  readonly latenciesMs: number[];
  latencyAt: number;
  /** Claimed, loaded, and behind the cap. */
  readonly deferred: LoadedAttempt[];
  deferredSinceMs: number;
  /** As the database has it, and with what this process has seen since. */
  persisted: SubscriptionHealth;
  health: SubscriptionHealth;
  /** Seen since it was persisted. */
  readonly unsent: HealthSignal[];
  usedAtMs: number;
}

/** Of a subscription that this process has not heard of. */
export function newTraffic(subscriptionId: string, cap: number, nowMs: number): SubscriptionTraffic {
  return {
    subscriptionId,
    cap,
    rate: null,
    inFlight: 0,
    answeredAtMs: Number.NEGATIVE_INFINITY,
    isHanging: false,
    goneUntilMs: null,
    latenciesMs: [],
    latencyAt: 0,
    deferred: [],
    deferredSinceMs: 0,
    persisted: healthy,
    health: healthy,
    unsent: [],
    usedAtMs: nowMs,
  };
}
