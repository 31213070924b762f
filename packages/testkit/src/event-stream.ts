import { once } from 'node:events';
import { type IncomingMessage, request as send } from 'node:http';
import { createInterface } from 'node:readline';

/** What became of one event of a batch. */
export interface BatchResult {
  readonly status: number;
  readonly event?: { readonly event_id: string };
  readonly problem?: { readonly id: string; readonly code?: string };
  readonly retry_after?: number;
}

/** A stream of events that is written and read at the same time. */
export interface EventStream {
  /** Resolves when there is room for more. */
  write(text: string | Uint8Array): Promise<void>;
  /** Says that nothing more comes. */
  end(): void;
  /** The next result; null at the end of the answer. Fails when the connection breaks. */
  next(): Promise<BatchResult | null>;
  /** Leaves in the middle. */
  destroy(): void;
  /** Resolves when the connection is closed, or could carry another request. */
  readonly closed: Promise<unknown>;
}

/** Opens a stream to `POST /events/batch`. */
export function openEventStream(url: string, token: string, headers: Readonly<Record<string, string>> = {}): EventStream {
  const request = send(`${url}/api/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson', ...headers },
  });
  const closed = once(request, 'close').catch(() => {});
  // From the start: Node discards an answer that nobody listens for.
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  // Whoever reads the results hears of it.
  answered.catch(() => {});
  request.on('error', () => {});
  const results = resultsOf(answered);
  request.flushHeaders();
  return {
    async write(text) {
      if (!request.destroyed && !request.write(text)) {
        // A connection that breaks has room for nothing, and the results tell of it.
        await Promise.race([once(request, 'drain'), closed]).catch(() => {});
      }
    },
    end: () => void request.end(),
    async next() {
      const next = await results.next();
      return next.done ? null : next.value;
    },
    destroy: () => void request.destroy(),
    closed,
  };
}

async function* resultsOf(answered: Promise<IncomingMessage>): AsyncGenerator<BatchResult, void> {
  const response = await answered;
  if (response.statusCode !== 200) {
    throw new Error(`The stream was answered with ${response.statusCode}.`);
  }
  for await (const line of createInterface({ input: response })) {
    const result: unknown = JSON.parse(line);
    if (!isResult(result)) {
      throw new Error(`This is no result: ${line}`);
    }
    yield result;
  }
  if (!response.complete) {
    throw new Error('The answer was cut off.');
  }
}

function isResult(value: unknown): value is BatchResult {
  return typeof value === 'object' && value !== null && 'status' in value && ('event' in value || 'problem' in value);
}
