import QuickLRU from 'quick-lru';

/** What was found: at once where it was in memory. That is on the way of every request, where each promise costs something. */
export type Found<Value> = Value | undefined | Promise<Value | undefined>;

/** What look-ups found, for a while. */
export interface Memory<Value> {
  /** From memory, or looked up. */
  find(key: string): Found<Value>;
  /** Forgets everything. Look-ups under way are not kept either. */
  clear(): void;
  /** Whether changes elsewhere are heard of; while they are not, nothing is answered from memory. */
  setListening(isListening: boolean): void;
}

export interface MemoryOptions<Value> {
  readonly lookUp: (key: string) => Promise<Value | undefined>;
  /** How long an answer is kept; 0 keeps none. */
  readonly ttlMs: number;
  /** How long a value holds from when it was asked for; null without an end. */
  readonly holdsForMs?: (value: Value) => number | null;
  readonly now: () => number;
  /** Hears whether a look-up was answered from memory. */
  readonly onLookUp?: (result: 'hit' | 'miss') => void;
}

/** Those that were asked for last: between as many and twice as many are kept. */
const entriesMax = 10_000;

/**
 * Keeps what exists. What does not is looked up each time, so that something new works at once. Changes are rare and clear everything,
 * which costs one look-up for each key in use.
 */
export function createMemory<Value>(options: MemoryOptions<Value>): Memory<Value> {
  const kept = new QuickLRU<string, { readonly value: Value; readonly untilMs: number }>({ maxSize: entriesMax });
  let isListening = false;
  let generation = 0;

  function clear(): void {
    generation += 1;
    kept.clear();
  }

  async function lookUp(key: string): Promise<Value | undefined> {
    options.onLookUp?.('miss');
    const startedIn = generation;
    const startedAtMs = options.now();
    const value = await options.lookUp(key);
    // What changed while it was looked up must not be kept.
    if (value !== undefined && isListening && startedIn === generation && options.ttlMs > 0) {
      const holdsForMs = options.holdsForMs?.(value) ?? Number.POSITIVE_INFINITY;
      kept.set(key, { value, untilMs: Math.min(options.now() + options.ttlMs, startedAtMs + holdsForMs) });
    }
    return value;
  }

  return {
    find(key) {
      const known = isListening ? kept.get(key) : undefined;
      if (known && options.now() < known.untilMs) {
        options.onLookUp?.('hit');
        return known.value;
      }
      return lookUp(key);
    },
    clear,
    setListening(listening) {
      isListening = listening;
      clear();
    },
  };
}
