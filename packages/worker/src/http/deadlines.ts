import { type Started, UnderWay } from '@postrider/shared/domain/under-way';

/**
 * Deadlines that all lie equally far after their starts, so that they come in the order of these and one timer does for all, where a timer
 * of its own would be made and thrown away with nearly every request.
 */
export class Deadlines<T> {
  readonly #afterMs: number;
  readonly #now: () => number;
  readonly #onDeadline: (item: T) => void;
  readonly #underWay = new UnderWay<T>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { readonly afterMs: number; readonly now: () => number; readonly onDeadline: (item: T) => void }) {
    this.#afterMs = options.afterMs;
    this.#now = options.now;
    this.#onDeadline = options.onDeadline;
  }

  /** Starts an item's deadline; returns what to end it by. */
  start(item: T, startedAtMs: number): Started<T> {
    if (this.#timer === null) {
      this.#arm(this.#afterMs);
    }
    return this.#underWay.start(item, startedAtMs);
  }

  /** Ends an item's deadline; false when it has none any more. */
  end(started: Started<T>): boolean {
    return this.#underWay.end(started);
  }

  /** Whatever has a deadline ahead. */
  items(): T[] {
    return this.#underWay.items();
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look();
    }, delayMs);
  }

  /** Tells those whose time has come, and waits for the next. */
  #look(): void {
    for (let oldest = this.#underWay.oldest(); oldest; oldest = this.#underWay.oldest()) {
      const leftMs = oldest.startedAtMs + this.#afterMs - this.#now();
      if (leftMs > 0) {
        this.#arm(Math.ceil(leftMs));
        return;
      }
      this.#underWay.end(oldest);
      this.#onDeadline(oldest.item);
    }
  }
}
