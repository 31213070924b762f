import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { LoadedAttempt } from '../attempt.ts';
import type { Worker } from '../worker.ts';
import { ModelParking } from './model-parking.ts';
import { laneOf, ModelQueue, type ModelSubscription, subscriptionOf } from './model-queue.ts';
import { createReceiver, type ReceiverKind, receiverKinds, type ScriptedReceiver } from './scripted-receiver.ts';
import { createSeededRandom, SimulatedClock } from './simulated-clock.ts';
import { createSimulatedWorker } from './simulated-worker.ts';
import { type Promises, Watch } from './watch.ts';

/** Half of the runs have hardly enough: claimed attempts wait then, for their leases to be prolonged or given back. */
const slotsTotals = [20, 8];
const capDefault = 5;
const timeoutMs = 10_000;
const leaseMs = 30_000;
const ownedForMs = 15_000;
const workersWanted = 3;
/** A second death in this time would take what the first one left from its heir, and wait as long again. */
const killEveryMsMin = 25_000;
const sweepEveryMs = 2000;
const lookEveryMs = 500;
/** Events come in for so long; receivers recover some time before that; whatever is left then has to go. */
const loadMs = 60_000;
const recoversAtMs = 45_000;
const endsByMs = 20 * 60_000;

/** A worker dies and what it had is taken 17 s later, by one that stops a moment later: the next one begins anew with the rate. */
const promises: Promises = { heldWithinMs: 1000, rateSlackMs: 400, healthyWaitMsMax: 5000, starvedMsMax: 30_000 };

interface LiveWorker {
  readonly id: number;
  readonly worker: Worker<string>;
  readonly requests: Map<LoadedAttempt, (outcome: DeliveryOutcome) => void>;
  isLeaving: boolean;
}

/** What a run came to. */
export interface SimulationResult {
  readonly broken: readonly string[];
  readonly starts: number;
  readonly events: number;
  readonly tookMs: number;
  readonly healthyWaitMs: number;
  readonly starvedMs: number;
}

/** Several workers, random receivers, and whatever may happen to them; all that happens follows from the seed. */
export class Simulation {
  readonly clock = new SimulatedClock();
  readonly #random: () => number;
  readonly #slotsTotal: number;
  readonly #queue = new ModelQueue(this.clock.now);
  readonly #parking: ModelParking;
  readonly #watch: Watch;
  readonly #receivers = new Map<string, ScriptedReceiver>();
  readonly #workers = new Map<number, LiveWorker>();
  #workersMade = 0;
  #killedAtMs = Number.NEGATIVE_INFINITY;
  #eventsMade = 0;

  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
    this.#slotsTotal = slotsTotals[seed % slotsTotals.length] ?? 1;
    this.#watch = new Watch({
      queue: this.#queue,
      // Where slots are scarce, what a rate lets through waits for one, and the next may come right after it.
      promises: this.#slotsTotal === slotsTotals[0] ? promises : { ...promises, rateSlackMs: timeoutMs },
      capDefault,
      timeoutMs,
      now: this.clock.now,
      isHealthy: (id) =>
        this.#slotsTotal === slotsTotals[0] && this.#receivers.get(id)?.kind === 'fast' && this.#queue.subscription(id).rate === null,
    });
    this.#parking = new ModelParking({
      queue: this.#queue,
      capDefault,
      ownedForMs,
      random: this.#random,
      now: this.clock.now,
      onHealthChanged: (subscription, before, after) => this.#watch.changed(subscription, before, after),
    });
  }

  async run(): Promise<SimulationResult> {
    this.#makeSubscriptions();
    for (let index = 0; index < workersWanted; index += 1) {
      this.#boot();
    }
    this.#every(sweepEveryMs, () => this.#parking.sweep());
    this.#every(lookEveryMs, () => this.#watch.look());
    this.clock.at(10_000 * this.#random(), () => this.#disturb());
    const isDone = (): boolean => this.clock.now() > loadMs && this.#queue.open.size === 0;
    await this.clock.runUntil(endsByMs, () => this.#watch.broken.length > 0 || isDone());
    return {
      broken: [...this.#watch.broken, ...(this.#watch.broken.length === 0 ? this.#lost() : [])],
      starts: this.#watch.starts,
      events: this.#eventsMade,
      tookMs: this.clock.now(),
      healthyWaitMs: this.#watch.healthyWaitMs,
      starvedMs: this.#watch.starvedMs,
    };
  }

  #makeSubscriptions(): void {
    const kinds: ReceiverKind[] = [...receiverKinds, 'fast', 'fast', 'fast', 'hanging', 'slow'];
    kinds.forEach((kind, index) =>
      this.#subscribe(`${kind}-${index}`, kind, { perSecond: kind === 'fast' ? 5 : 0.5 + 3 * this.#random() }),
    );
    this.#subscribe('rated-10', 'fast', { perSecond: 9, rate: { requests: 10, periodMs: 1000 } });
    this.#subscribe('rated-half', 'fast', { perSecond: 0.5, rate: { requests: 30, periodMs: 60_000 } });
    this.#subscribe('rated-slow', 'slow', { perSecond: 1, rate: { requests: 3, periodMs: 1000 } });
    this.#subscribe('rated-fast', 'fast', { perSecond: 15, rate: { requests: 25, periodMs: 1000 } });
  }

  #subscribe(id: string, kind: ReceiverKind, { perSecond, rate = null }: { perSecond: number; rate?: ModelSubscription['rate'] }): void {
    const inFlightMax = this.#random() < 0.3 ? 1 + Math.floor(this.#random() * 8) : null;
    const subscription = subscriptionOf(id, { inFlightMax: kind === 'fast' && rate === null ? null : inFlightMax, rate });
    this.#queue.subscriptions.set(id, subscription);
    this.#receivers.set(id, createReceiver(kind, { random: this.#random, timeoutMs, recoversAtMs }));
    const next = (): void => {
      if (this.clock.now() < loadMs) {
        this.#ingest(subscription, this.#random() < 0.002 ? 60 : 1);
        this.clock.at(this.clock.now() + (2000 * this.#random()) / perSecond, next);
      }
    };
    this.clock.at(1000 * this.#random(), next);
  }

  /** An ingest commits a moment after it has looked where attempts belong. */
  #ingest(subscription: ModelSubscription, events: number): void {
    const dueAtMs = this.clock.now();
    const lane = laneOf(subscription);
    if (subscription.isDisabled) {
      return;
    }
    this.clock.at(dueAtMs + 20 * this.#random() + (this.#random() < 0.01 ? 1000 : 0), () => {
      for (let index = 0; index < events; index += 1) {
        this.#eventsMade += 1;
        this.#queue.insert({ eventId: `event-${this.#eventsMade}`, subscription, dueAtMs, retryCount: 0, lane });
      }
      this.#tellAll(({ worker }) => worker.claimer.wake());
    });
  }

  #boot(): void {
    this.#workersMade += 1;
    const id = this.#workersMade;
    this.clock.at(
      this.clock.now(),
      () => {
        const requests: LiveWorker['requests'] = new Map();
        const worker = createSimulatedWorker({
          id,
          clock: this.clock,
          queue: this.#queue,
          parking: this.#parking,
          slotsTotal: this.#slotsTotal,
          capDefault,
          timeoutMs,
          leaseMs,
          ownedForMs,
          failureRatio: 0.002,
          random: this.#random,
          send: (attempt, onOutcome) => this.#send(id, attempt, onOutcome),
          abortRequests: () =>
            [...requests.values()].forEach((end) =>
              end({ kind: 'error', errorName: 'E_CONNECTION', message: 'broken off', elapsedMs: 1, response: null }),
            ),
          announce: () => this.#tellAll((live) => live.worker.claimer.rewind()),
        });
        this.#workers.set(id, { id, worker, requests, isLeaving: false });
        worker.start();
      },
      id,
    );
  }

  #send(workerId: number, attempt: LoadedAttempt, onOutcome: (outcome: DeliveryOutcome) => void): void {
    const { held } = attempt;
    const requests = this.#workers.get(workerId)?.requests;
    this.#watch.started(held, workerId);
    const outcome = this.#receivers.get(held.subscriptionId)?.answer(this.clock.now());
    const end = (ended: DeliveryOutcome): void => {
      if (requests?.delete(attempt)) {
        this.#watch.ended(held, ended === outcome);
        onOutcome(ended);
      }
    };
    requests?.set(attempt, end);
    if (outcome) {
      this.clock.at(this.clock.now() + outcome.elapsedMs, () => end(outcome));
    }
  }

  /** Workers die or restart, subscriptions are paused and resumed. */
  #disturb(): void {
    const kind = this.#random();
    const live = [...this.#workers.values()].filter(({ isLeaving }) => !isLeaving);
    const chosen = live[Math.floor(this.#random() * live.length)];
    if (kind < 0.35 && chosen && this.clock.now() - this.#killedAtMs > killEveryMsMin) {
      this.#killedAtMs = this.clock.now();
      this.#kill(chosen);
    } else if (kind < 0.5 && chosen) {
      this.#drain(chosen);
    } else {
      this.#pause();
    }
    if (this.clock.now() < loadMs) {
      this.clock.at(this.clock.now() + 10_000 * this.#random(), () => this.#disturb());
    }
  }

  #kill({ id }: LiveWorker): void {
    this.clock.kill(id);
    this.#workers.delete(id);
    this.#watch.died(id);
    this.clock.at(this.clock.now() + 3000 * this.#random(), () => this.#boot());
  }

  #drain(live: LiveWorker): void {
    live.isLeaving = true;
    this.#watch.leaves(live.id);
    this.#boot();
    const leave = async (): Promise<void> => {
      await live.worker.drain(8000);
      this.#parking.giveUp(live.id);
      this.#workers.delete(live.id);
    };
    // Fails only when the worker is wrong; then the run does.
    this.clock.at(this.clock.now(), () => void leave().catch((error: unknown) => this.#watch.broken.push(String(error))), live.id);
  }

  #pause(): void {
    const all = [...this.#queue.subscriptions.values()];
    const subscription = all[Math.floor(this.#random() * all.length)];
    if (!subscription || subscription.pausedAtMs !== null || subscription.isDisabled) {
      return;
    }
    subscription.pausedAtMs = this.clock.now();
    subscription.unsettledSinceMs = this.clock.now();
    this.clock.at(this.clock.now() + 8000 * this.#random(), () => {
      subscription.pausedAtMs = null;
      subscription.unsettledSinceMs = this.clock.now();
      this.#watch.troubled(subscription.id);
      this.#parking.sweep();
      this.#tellAll(({ worker }) => worker.claimer.rewind());
    });
  }

  #tellAll(tell: (live: LiveWorker) => void): void {
    for (const live of this.#workers.values()) {
      this.clock.at(this.clock.now() + 2 * this.#random(), () => tell(live), live.id);
    }
  }

  #every(periodMs: number, act: () => void): void {
    this.clock.at(
      this.clock.now() + periodMs,
      () => {
        act();
        this.#every(periodMs, act);
      },
      'world',
    );
  }

  /** Events that did not come to exactly one end. */
  #lost(): string[] {
    const ends = new Map<string, number>();
    const finished = new Set<string>();
    const twice: string[] = [];
    for (const { attempt, kind } of this.#queue.ends) {
      if (finished.has(attempt.id)) {
        twice.push(`${attempt.id} ended twice`);
      }
      finished.add(attempt.id);
      ends.set(attempt.eventId, (ends.get(attempt.eventId) ?? 0) + (kind === 'retried' ? 0 : 1));
    }
    const stuck = [...this.#queue.open.values()].map(({ id, subscription }) => `${id} of ${subscription.id} is open at the end`);
    const open = new Set([...this.#queue.open.values()].map(({ eventId }) => eventId));
    const wrong = Array.from({ length: this.#eventsMade }, (_, index) => `event-${index + 1}`).filter(
      (eventId) => (ends.get(eventId) ?? 0) + (open.has(eventId) ? 1 : 0) !== 1,
    );
    return [...twice, ...stuck.slice(0, 5), ...wrong.map((eventId) => `${eventId} came to ${ends.get(eventId) ?? 0} ends`)].slice(0, 10);
  }
}
