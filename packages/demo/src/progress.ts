import type { Arrival } from './demo-receiver.ts';

/** What has happened so far, counted where it is seen: at the sender and at the receiver. */
export class Progress {
  ingested = 0;
  delivered = 0;
  retried = 0;
  /** Webhooks whose signature was wrong. */
  unverified = 0;
  readonly #expected = new Set<string>();
  readonly #sentAt = new Map<string, number>();
  readonly #latenciesMs: number[] = [];
  readonly #early = new Map<string, Arrival>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Deliveries that are still to come. */
  get waiting(): number {
    return this.#expected.size;
  }

  /** The median time from sending an event to its first webhook, in milliseconds. */
  get latencyMs(): number {
    return this.#latenciesMs.toSorted((a, b) => a - b)[Math.floor(this.#latenciesMs.length / 2)] ?? 0;
  }

  /** An event is committed; it is expected once at each of these paths. */
  expect(eventId: string, paths: readonly string[], sentAt: number): void {
    this.ingested += 1;
    this.#sentAt.set(eventId, sentAt);
    for (const path of paths) {
      this.#expected.add(`${path} ${eventId}`);
      const early = this.#early.get(`${path} ${eventId}`);
      if (early) {
        this.arrive(early);
      }
    }
  }

  /** A webhook arrived, perhaps before the answer of ingest did. */
  arrive(arrival: Arrival): void {
    if (!arrival.isVerified) {
      this.unverified += 1;
      return;
    }
    if (arrival.status >= 300) {
      this.retried += 1;
      return;
    }
    const key = `${arrival.path} ${arrival.eventId}`;
    if (this.#expected.delete(key)) {
      this.delivered += 1;
      const sentAt = this.#sentAt.get(arrival.eventId);
      if (arrival.retryCount === 0 && sentAt !== undefined) {
        this.#latenciesMs.push(this.#now() - sentAt);
      }
    } else {
      this.#early.set(key, arrival);
    }
  }

  line(): string {
    const { ingested, delivered, retried, waiting } = this;
    return `ingested ${ingested} · delivered ${delivered} · retried ${retried} · waiting ${waiting} · p50 ${this.latencyMs.toFixed(0)} ms`;
  }
}
