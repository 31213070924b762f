/** How many items, and how many bytes of them, may be ahead of their results. */
export interface AheadBounds {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

interface Sized {
  readonly bytes: number;
}

/**
 * Works on items at the same time and gives their results in the order of the items, as soon as they are there; those that are there
 * together as one list. Takes no more items while as many as `ahead` says wait for their results, or for somebody to ask for these: who
 * reads slowly slows down the source. `work` must not reject. When the source fails, what it gave before still has its results, and then
 * comes the failure.
 */
export async function* inOrder<Item extends Sized, Result>(
  items: AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
  ahead: AheadBounds,
): AsyncGenerator<Result[]> {
  const room = createSignal();
  const news = createSignal();
  const queue = createQueue<Result>(ahead);
  let reading: { readonly ended: boolean; readonly failure?: unknown } = { ended: false };
  let isStopped = false;

  async function read(): Promise<void> {
    for await (const item of items) {
      // Ends with its result, which the loop below waits for.
      void queue.add(item.bytes, work(item)).then(news.raise);
      while (queue.isFull() && !isStopped) {
        await room.wait();
      }
      if (isStopped) {
        return;
      }
    }
  }

  function end(how: { readonly failure?: unknown }): void {
    reading = { ended: true, ...how };
    news.raise();
  }

  // Its end is news of the loop below. After a stop nobody waits for it: the source may have nothing to say for long.
  void read().then(
    () => end({}),
    (failure: unknown) => end({ failure }),
  );
  try {
    while (!reading.ended || !queue.isEmpty()) {
      const results = queue.takeFinished();
      if (results.length > 0) {
        yield results;
        room.raise();
      } else {
        await news.wait();
      }
    }
  } finally {
    isStopped = true;
    room.raise();
  }
  if ('failure' in reading) {
    throw reading.failure;
  }
}

/** Results in the order in which they were begun. */
function createQueue<Result>(ahead: AheadBounds) {
  const begun: { readonly bytes: number; outcome: { readonly result: Result } | null }[] = [];
  let bytes = 0;
  return {
    isEmpty: () => begun.length === 0,
    isFull: () => begun.length >= ahead.itemsMax || bytes >= ahead.bytesMax,
    /** Resolves when its result is there. */
    async add(itemBytes: number, work: Promise<Result>): Promise<void> {
      const entry: (typeof begun)[number] = { bytes: itemBytes, outcome: null };
      begun.push(entry);
      bytes += itemBytes;
      entry.outcome = { result: await work };
    },
    takeFinished(): Result[] {
      const firstOpen = begun.findIndex(({ outcome }) => outcome === null);
      const finished = begun.splice(0, firstOpen === -1 ? begun.length : firstOpen);
      bytes -= finished.reduce((sum, entry) => sum + entry.bytes, 0);
      return finished.flatMap(({ outcome }) => (outcome ? [outcome.result] : []));
    },
  };
}

/** For one that waits. Nothing gets lost between its look at what is there and its waiting, which are one turn. */
function createSignal() {
  let wake: (() => void) | null = null;
  return {
    wait: (): Promise<void> =>
      new Promise((resolve) => {
        // What becomes ready together, such as a group of events, is then one list.
        wake = () => setImmediate(resolve);
      }),
    raise: (): void => wake?.(),
  };
}
