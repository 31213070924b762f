import type { CompleteEvent, IngestedEvent } from './event-input.ts';

/** An event that waits, with those who wait for it. */
export interface QueuedEvent {
  readonly event: CompleteEvent;
  readonly json: string;
  resolve(ingested: IngestedEvent): void;
  reject(error: unknown): void;
}

export interface BatchLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
}

const encoder = new TextEncoder();

/** Events in the order of their arrival, cut into batches. */
export class EventQueue {
  readonly #limits: BatchLimits;
  readonly #events: QueuedEvent[] = [];
  readonly #bytes: number[] = [];
  #bytesTotal = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#events.length;
  }

  add(event: QueuedEvent): void {
    // With the comma behind it.
    const bytes = encoder.encode(event.json).length + 1;
    this.#events.push(event);
    this.#bytes.push(bytes);
    this.#bytesTotal += bytes;
  }

  /** Whether waiting longer would not make the next batch larger. */
  isBatchFull(): boolean {
    return this.#events.length >= this.#limits.eventsMax || this.#bytesTotal >= this.#limits.bytesMax;
  }

  takeBatch(): QueuedEvent[] {
    const { eventsMax, bytesMax } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const size of this.#bytes.slice(0, eventsMax)) {
      // One that is too large alone goes alone: the API says what is wrong with it.
      if (count > 0 && bytes + size > bytesMax) {
        break;
      }
      count++;
      bytes += size;
    }
    this.#bytes.splice(0, count);
    this.#bytesTotal -= bytes;
    return this.#events.splice(0, count);
  }
}
