/** Something that was started and has not ended, between its neighbours in the order of starts. */
class Started<T> {
  readonly item: T;
  readonly startedAtMs: number;
  earlier: Started<T> | null = null;
  later: Started<T> | null = null;
  hasEnded = false;

  constructor(item: T, startedAtMs: number) {
    this.item = item;
    this.startedAtMs = startedAtMs;
  }
}

export type { Started };

/**
 * What is under way, in the order in which it was started. Its members forget each other when they end. A Map would leave behind every table
 * that it outgrew, each holding the next one and all that was under way at its time: once the first is old, all that was ever started lives
 * until the next full collection, and most of the cost of a delivery, or of a request, is in copying it.
 */
export class UnderWay<T> {
  #first: Started<T> | null = null;
  #last: Started<T> | null = null;
  #count = 0;

  count(): number {
    return this.#count;
  }

  /** What was started before all else that is under way. */
  oldest(): Started<T> | null {
    return this.#first;
  }

  items(): T[] {
    return Array.from(this.entries(), ([item]) => item);
  }

  /** What is under way and when it started, oldest first. Nothing may start or end meanwhile. */
  *entries(): Generator<readonly [T, number]> {
    for (let started = this.#first; started; started = started.later) {
      yield [started.item, started.startedAtMs];
    }
  }

  /** Adds what was started last; returns what to end it by. */
  start(item: T, startedAtMs: number): Started<T> {
    const started = new Started(item, startedAtMs);
    started.earlier = this.#last;
    if (this.#last) {
      this.#last.later = started;
    } else {
      this.#first = started;
    }
    this.#last = started;
    this.#count += 1;
    return started;
  }

  /** Takes out what has ended; false when it had ended before. */
  end(started: Started<T>): boolean {
    if (started.hasEnded) {
      return false;
    }
    const { earlier, later } = started;
    if (earlier) {
      earlier.later = later;
    } else {
      this.#first = later;
    }
    if (later) {
      later.earlier = earlier;
    } else {
      this.#last = earlier;
    }
    started.earlier = null;
    started.later = null;
    started.hasEnded = true;
    this.#count -= 1;
    return true;
  }
}
