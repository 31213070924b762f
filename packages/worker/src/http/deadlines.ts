/**
 * Deadlines that all lie equally far after their starts, so that they come in the order of these and one timer does for all, where a timer
 * of its own would be made and thrown away with nearly every request.
 */
export class Deadlines<T> {
  readonly #afterMs: number;
  readonly #now: () => number;
  readonly #onDeadline: (item: T) => void;
  /** When each was started, oldest first. */
  readonly #startedAt = new Map<T, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { readonly afterMs: number; readonly now: () => number; readonly onDeadline: (item: T) => void }) {
    this.#afterMs = options.afterMs;
    this.#now = options.now;
    this.#onDeadline = options.onDeadline;
  }

  start(item: T, startedAtMs: number): void {
    this.#startedAt.set(item, startedAtMs);
    if (this.#timer === null) {
      this.#arm(this.#afterMs);
    }
  }

  /** Ends an item's deadline; false when it has none any more. */
  end(item: T): boolean {
    return this.#startedAt.delete(item);
  }

  /** Whatever has a deadline ahead. */
  items(): T[] {
    return [...this.#startedAt.keys()];
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look();
    }, delayMs);
  }

  /** Tells those whose time has come, and waits for the next. */
  #look(): void {
    for (const [item, startedAtMs] of this.#startedAt) {
      const leftMs = startedAtMs + this.#afterMs - this.#now();
      if (leftMs > 0) {
        this.#arm(Math.ceil(leftMs));
        return;
      }
      this.#startedAt.delete(item);
      this.#onDeadline(item);
    }
  }
}
