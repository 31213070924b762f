import type { Rate } from '../subscription-traffic.ts';
import type { LoadedAttempt } from '../attempt.ts';
import { ModelParking } from './model-parking.ts';
import { ModelQueue, subscriptionOf } from './model-queue.ts';
import { createReceiver } from './scripted-receiver.ts';
import { createSeededRandom, SimulatedClock } from './simulated-clock.ts';
import { createSimulatedWorker } from './simulated-worker.ts';

const capDefault = 5;
const ownedForMs = 15_000;

/** Several workers and one subscription with a rate and more than enough that is due. */
export class RatedRun {
  readonly clock = new SimulatedClock();
  readonly #queue = new ModelQueue(this.clock.now);
  readonly #starts: number[] = [];
  readonly #workers: number;

  constructor(rate: Rate, { workers, backlog }: { readonly workers: number; readonly backlog: number }) {
    this.#workers = workers;
    const subscription = subscriptionOf('rated', { rate });
    this.#queue.subscriptions.set('rated', subscription);
    for (let index = 0; index < backlog; index += 1) {
      this.#queue.insert({ eventId: `event-${index}`, subscription, dueAtMs: 0, retryCount: 0, lane: 0 });
    }
  }

  /** Requests that start from one time to another. */
  async startsBetween(fromMs: number, toMs: number): Promise<number> {
    const random = createSeededRandom(1);
    const receiver = createReceiver('fast', { random, timeoutMs: 10_000, recoversAtMs: 0 });
    const { clock } = this;
    const queue = this.#queue;
    const parking = new ModelParking({ queue, capDefault, ownedForMs, random, now: clock.now, onHealthChanged: () => undefined });
    for (let id = 1; id <= this.#workers; id += 1) {
      const worker = createSimulatedWorker({
        id,
        clock,
        queue,
        parking,
        slotsTotal: 20,
        capDefault,
        timeoutMs: 10_000,
        leaseMs: 30_000,
        ownedForMs,
        failureRatio: 0,
        random,
        send: (_attempt: LoadedAttempt, onOutcome) => {
          this.#starts.push(clock.now());
          const outcome = receiver.answer(clock.now());
          clock.at(clock.now() + outcome.elapsedMs, () => onOutcome(outcome));
        },
        abortRequests: () => undefined,
        announce: () => undefined,
      });
      clock.at(id, () => worker.start(), id);
    }
    await clock.runUntil(toMs, () => false);
    return this.#starts.filter((startMs) => startMs >= fromMs).length;
  }
}
