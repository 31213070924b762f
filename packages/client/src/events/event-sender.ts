import type { CallOptions } from '../caller.ts';
import { BatchTransport, type BatchContext } from './batch-transport.ts';
import { completeEvent, type EventInput, type IngestedEvent } from './event-input.ts';
import { EventQueue } from './event-queue.ts';

export interface EventSenderOptions extends CallOptions {
  /** How many events one request takes at most: 1 to 1000, 200 unless said otherwise. */
  readonly eventsMax?: number;
  /** How large one request may be. 4 MiB unless said otherwise. */
  readonly bytesMax?: number;
  /** How long an event waits for others. 10 milliseconds unless said otherwise. */
  readonly waitMs?: number;
  /** How many requests are under way at once. 4 unless said otherwise. */
  readonly concurrency?: number;
  /** How many events may be waiting or under way. 10,000 unless said otherwise. */
  readonly pendingMax?: number;
}

/** There is no room for the event: await `ready()` before `send`. */
export class PostriderSenderFullError extends Error {
  override readonly name = 'PostriderSenderFullError';
}

/** Groups events into requests of many. */
export class EventSender {
  readonly #limits: Required<Pick<EventSenderOptions, 'waitMs' | 'concurrency' | 'pendingMax'>>;
  readonly #queue: EventQueue;
  readonly #transport: BatchTransport;
  readonly #undecided = new Set<Promise<unknown>>();
  readonly #waitingForRoom: (() => void)[] = [];
  #inFlight = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isFlushing = false;
  #isClosed = false;

  /** Made by `postrider.createEventSender`. */
  constructor(context: BatchContext, options: EventSenderOptions) {
    const { eventsMax = 200, bytesMax = 4 * 1024 * 1024, waitMs = 10, concurrency = 4, pendingMax = 10_000 } = options;
    if (!(eventsMax >= 1 && eventsMax <= 1000 && concurrency >= 1 && pendingMax >= 1)) {
      throw new RangeError('eventsMax must be 1 to 1000, concurrency and pendingMax at least 1.');
    }
    this.#limits = { waitMs, concurrency, pendingMax };
    this.#queue = new EventQueue({ eventsMax, bytesMax });
    this.#transport = new BatchTransport(context);
  }

  /** How many events are waiting or under way. */
  get pending(): number {
    return this.#undecided.size;
  }

  /** Resolves when the event is committed, rejects when it is refused. */
  send(event: EventInput): Promise<IngestedEvent> {
    if (this.#isClosed) {
      return Promise.reject(new Error('The sender is closed.'));
    }
    if (this.pending >= this.#limits.pendingMax) {
      return Promise.reject(new PostriderSenderFullError(`${this.pending} events are pending: await ready() before send.`));
    }
    const decided = new Promise<IngestedEvent>((resolve, reject) => {
      const complete = completeEvent(event);
      this.#queue.add({ event: complete, json: JSON.stringify(complete), resolve, reject });
    });
    this.#undecided.add(decided);
    this.#dispatch();
    return decided.finally(() => {
      this.#undecided.delete(decided);
      this.#wakeThoseWaiting();
    });
  }

  /** Resolves when there is room for one more event: await it before `send` where events come faster than they leave. */
  async ready(): Promise<void> {
    while (this.pending >= this.#limits.pendingMax) {
      await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve));
    }
  }

  /** Sends what waits now, and resolves when everything sent so far is decided, one way or the other. */
  async flush(): Promise<void> {
    this.#isFlushing = true;
    this.#dispatch();
    await Promise.allSettled(this.#undecided);
  }

  /** The same, and takes no more events. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  /** As many as there is room for. Who was woken may not send after all, so that the others are looked after in the next turn. */
  #wakeThoseWaiting(): void {
    const room = this.#limits.pendingMax - this.pending;
    if (room > 0 && this.#waitingForRoom.length > 0) {
      this.#waitingForRoom.splice(0, room).forEach((wake) => wake());
      setTimeout(() => this.#wakeThoseWaiting(), 0);
    }
  }

  #dispatch(): void {
    while (this.#inFlight < this.#limits.concurrency && (this.#queue.isBatchFull() || (this.#isFlushing && this.#queue.length > 0))) {
      this.#startBatch();
    }
    this.#isFlushing &&= this.#queue.length > 0;
    if (this.#queue.length > 0 && this.#timer === null) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#isFlushing = true;
        this.#dispatch();
      }, this.#limits.waitMs);
    }
  }

  #startBatch(): void {
    this.#inFlight++;
    // It decides the promises of its events and has no failure of its own.
    void this.#transport.send(this.#queue.takeBatch()).finally(() => {
      this.#inFlight--;
      this.#dispatch();
    });
  }
}
