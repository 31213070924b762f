import type { SubscriptionForDelivery } from '@postrider/shared/database/queries/load-subscriptions';
import type { RetryPolicy } from '@postrider/shared/domain/delivery-policy';
import { madeAtMs } from './attempt.ts';
import type { SubscriptionTraffic } from './subscription-traffic.ts';

/** A subscription prepared for sending, or why nothing may be sent to it. */
export interface SubscriptionEntry<Prepared> {
  readonly isLive: boolean;
  readonly isPaused: boolean;
  readonly cancelledUntilMs: number | null;
  /** Null leaves the schedule to the worker. */
  readonly retryPolicy: RetryPolicy | null;
  readonly traffic: SubscriptionTraffic;
  readonly prepared: Prepared;
}

export interface SubscriptionsOptions<Prepared> {
  readonly load: (subscriptionIds: readonly string[]) => Promise<SubscriptionForDelivery[]>;
  /** Unseals the secret and parses the target: kept for as long as the row does not change. */
  readonly prepare: (row: SubscriptionForDelivery) => Prepared;
  /** Takes over what the row says of caps, rates and health, read at `readAtMs`; returns what this process does with the subscription. */
  readonly follow: (row: SubscriptionForDelivery, readAtMs: number) => SubscriptionTraffic;
  readonly now: () => number;
}

/** Subscriptions as they were at most a second ago, so that nothing is started later than that after one was disabled or paused. */
export interface Subscriptions<Prepared> {
  /** The entry if it is fresh: no promise on the hot path. */
  fresh(subscriptionId: string): SubscriptionEntry<Prepared> | undefined;
  /** The entry, loaded together with all that are asked for in the same turn; null when the subscription does not exist. */
  get(subscriptionId: string): Promise<SubscriptionEntry<Prepared> | null>;
}

const freshMs = 1000;
/** Entries that were not used for this long are dropped. */
const keptMs = 60_000;

interface Kept<Prepared> {
  readonly entry: SubscriptionEntry<Prepared> | null;
  readonly fingerprint: string;
  readonly loadedAtMs: number;
}

export function createSubscriptions<Prepared>(options: SubscriptionsOptions<Prepared>): Subscriptions<Prepared> {
  const kept = new Map<string, Kept<Prepared>>();
  let wanted: Set<string> = new Set();
  let load: Promise<void> | null = null;
  let sweptAtMs = options.now();

  async function loadWanted(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const ids = [...wanted];
    wanted = new Set();
    load = null;
    // Before the query: the answer is at least as fresh as this.
    const loadedAtMs = options.now();
    const rows = new Map((await options.load(ids)).map((row) => [row.subscription_id, row]));
    for (const id of ids) {
      kept.set(id, keep(options, rows.get(id), kept.get(id), loadedAtMs));
    }
    if (loadedAtMs - sweptAtMs > keptMs) {
      sweptAtMs = loadedAtMs;
      for (const [id, { loadedAtMs: at }] of kept) {
        if (loadedAtMs - at > keptMs) {
          kept.delete(id);
        }
      }
    }
  }

  return {
    fresh(subscriptionId) {
      const found = kept.get(subscriptionId);
      return found && found.entry && options.now() - found.loadedAtMs < freshMs ? found.entry : undefined;
    },
    async get(subscriptionId) {
      wanted.add(subscriptionId);
      load ??= loadWanted();
      await load;
      return kept.get(subscriptionId)?.entry ?? null;
    },
  };
}

function keep<Prepared>(
  options: SubscriptionsOptions<Prepared>,
  row: SubscriptionForDelivery | undefined,
  before: Kept<Prepared> | undefined,
  loadedAtMs: number,
): Kept<Prepared> {
  if (!row) {
    return { entry: null, fingerprint: '', loadedAtMs };
  }
  const secrets = [row.secret_sealed, ...row.previous_secrets_sealed].map((sealed) => sealed.toString('base64'));
  const fingerprint = JSON.stringify([row.target_method, row.target_url, row.target_headers, row.timeout_ms, secrets]);
  const prepared = before?.entry && before.fingerprint === fingerprint ? before.entry.prepared : options.prepare(row);
  const entry = {
    isLive: row.is_live,
    isPaused: row.is_paused,
    cancelledUntilMs: row.cancelled_until?.getTime() ?? null,
    retryPolicy: row.retry_schedule,
    traffic: options.follow(row, loadedAtMs),
    prepared,
  };
  return { entry, fingerprint, loadedAtMs };
}

/** Whether an attempt may still be sent to its subscription. */
export function mayStart(entry: Pick<SubscriptionEntry<unknown>, 'isLive' | 'cancelledUntilMs'>, requestAttemptId: string): boolean {
  return entry.isLive && (entry.cancelledUntilMs === null || madeAtMs(requestAttemptId) > entry.cancelledUntilMs);
}

/** Whether an attempt waits because its subscription is paused; samples that somebody asked for do not. */
export function isHeld(entry: Pick<SubscriptionEntry<unknown>, 'isPaused'>, attempt: { readonly isTest: boolean }): boolean {
  return entry.isPaused && !attempt.isTest;
}
