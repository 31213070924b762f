/** Whose timer it is: the number of a simulated process, or the world around them. */
export type Owner = number | 'world';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly owner: Owner;
  readonly everyMs: number | null;
  readonly run: () => void;
}

type Callback = (...values: unknown[]) => void;

/** What the clock stands in for, by the names of the globals. */
export interface ClockGlobals {
  readonly setTimeout: (callback: Callback, delayMs?: number) => number;
  readonly setInterval: (callback: Callback, delayMs: number) => number;
  readonly setImmediate: (callback: Callback) => number;
  readonly clearTimeout: (timer: number) => void;
  readonly clearInterval: (timer: number) => void;
}

const nextRealTurn = globalThis.setImmediate;

/**
 * A clock that stands still while anything runs and jumps from timer to timer. Each timer belongs to the process that was running when it
 * was set, so that a process can die: whatever it waits for never comes.
 */
export class SimulatedClock {
  #nowMs = 0;
  #order = 0;
  #running: Owner = 'world';
  readonly #heap: Timer[] = [];
  readonly #cleared = new Set<number>();
  readonly #dead = new Set<Owner>();

  readonly now = (): number => this.#nowMs;

  readonly globals: ClockGlobals = {
    setTimeout: (callback, delayMs = 0) => this.at(this.#nowMs + Math.max(1, delayMs), callback),
    setInterval: (callback, delayMs) => this.#push({ atMs: this.#nowMs + delayMs, everyMs: delayMs, owner: this.#running, run: callback }),
    setImmediate: (callback) => this.at(this.#nowMs, callback),
    clearTimeout: (timer) => void this.#cleared.add(timer),
    clearInterval: (timer) => void this.#cleared.add(timer),
  };

  /** Runs something at a time, as the process that is running now or as another one. */
  at(atMs: number, run: () => void, owner: Owner = this.#running): number {
    return this.#push({ atMs: Math.max(atMs, this.#nowMs), everyMs: null, owner, run: () => run() });
  }

  readonly wait = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      this.at(this.#nowMs + delayMs, resolve);
    });

  /** Nothing of this process runs any more. */
  kill(owner: Owner): void {
    this.#dead.add(owner);
  }

  /** Runs until that time, or until it is told to stop. */
  async runUntil(untilMs: number, isOver: () => boolean): Promise<void> {
    for (let timer = this.#heap[0]; timer && timer.atMs <= untilMs && !isOver(); timer = this.#heap[0]) {
      this.#pop();
      const isOff = this.#cleared.delete(timer.order) || this.#dead.has(timer.owner);
      if (!isOff) {
        this.#nowMs = timer.atMs;
        this.#running = timer.owner;
        timer.run();
        // All that follows from it without waiting belongs to the same process.
        await new Promise((resolve) => nextRealTurn(resolve));
        this.#running = 'world';
        if (timer.everyMs !== null && !this.#cleared.delete(timer.order)) {
          this.#insert({ ...timer, atMs: timer.atMs + timer.everyMs });
        }
      }
    }
  }

  #push(timer: Omit<Timer, 'order'>): number {
    this.#order += 1;
    this.#insert({ ...timer, order: this.#order });
    return this.#order;
  }

  #insert(timer: Timer): void {
    const heap = this.#heap;
    let place = heap.length;
    for (let above = (place - 1) >> 1; place > 0 && isBefore(timer, heap[above]); above = (place - 1) >> 1) {
      heap[place] = heap[above] ?? timer;
      place = above;
    }
    heap[place] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) {
      return;
    }
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const least = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
      const below = heap[least];
      if (!below || !isBefore(below, last)) {
        break;
      }
      heap[place] = below;
      place = least;
    }
    heap[place] = last;
  }
}

function isBefore(a: Timer | undefined, b: Timer | undefined): boolean {
  return a !== undefined && (b === undefined || a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
}

/** Numbers from 0 to below 1 that follow from a seed alone (mulberry32). */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
