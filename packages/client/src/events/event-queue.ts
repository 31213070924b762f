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

/** Events in the order of their arrival, cut into batches of one application each, since the API authorizes a request as a whole. */
export class EventQueue {
  readonly #limits: BatchLimits;
  readonly #byApplication = new Map<string, { readonly events: QueuedEvent[]; readonly bytes: number[]; bytesTotal: number }>();
  #length = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#length;
  }

  add(event: QueuedEvent): void {
    const id = event.event.application_id;
    const own = this.#byApplication.get(id) ?? { events: [], bytes: [], bytesTotal: 0 };
    const bytes = encoder.encode(event.json).length + 1;
    own.events.push(event);
    own.bytes.push(bytes);
    own.bytesTotal += bytes;
    this.#byApplication.set(id, own);
    this.#length++;
  }

  /** Whether waiting longer would not make the next batch larger. */
  isBatchFull(): boolean {
    const { eventsMax, bytesMax } = this.#limits;
    return [...this.#byApplication.values()].some(({ events, bytesTotal }) => events.length >= eventsMax || bytesTotal >= bytesMax);
  }

  /** A full batch if there is one, else that of the application that waits longest. */
  takeBatch(): QueuedEvent[] {
    const { eventsMax, bytesMax } = this.#limits;
    const queues = [...this.#byApplication];
    const full = queues.find(([, { events, bytesTotal }]) => events.length >= eventsMax || bytesTotal >= bytesMax);
    const [id, own] = full ?? queues[0] ?? [];
    if (id === undefined || own === undefined) {
      return [];
    }
    let count = 0;
    let bytes = 0;
    for (const size of own.bytes.slice(0, eventsMax)) {
      // One that is too large alone goes alone: the API says what is wrong with it.
      if (count > 0 && bytes + size > bytesMax) {
        break;
      }
      count++;
      bytes += size;
    }
    const batch = own.events.splice(0, count);
    own.bytes.splice(0, count);
    own.bytesTotal -= bytes;
    this.#length -= count;
    this.#byApplication.delete(id);
    if (own.events.length > 0) {
      // Behind the others, so that one busy application does not keep them waiting.
      this.#byApplication.set(id, own);
    }
    return batch;
  }
}
