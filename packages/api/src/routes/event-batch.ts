import type { IncomingMessage } from 'node:http';
import { batchBodyBytesMax, streamAheadBytesMax, streamAheadLinesMax, streamIdleMsMax } from '@postrider/shared/domain/limits';
import type { ApiContext } from '../context.ts';
import { readJsonBody } from '../http/body.ts';
import { readLines } from '../http/body-lines.ts';
import { parseBody } from '../http/parse.ts';
import { defineRoute, type Reply, type RequestContext, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { batchItemView, batchView, documentedEventBatch, eventBatch } from '../schemas/event-batch.ts';
import { eventPost } from '../schemas/events.ts';
import { inOrder } from '../services/in-order.ts';
import { ingestPatiently } from '../services/ingest-patiently.ts';
import { type BatchItem, createItemIngest, type Item } from './ingest-items.ts';

const lines = 'application/x-ndjson';

const description = `As an array: up to 1,000 events in at most 10 MiB, and an array of results in the same order.

As \`application/x-ndjson\`: any number of events, one on each line, and a line with each result, in the same order, as soon as its event is
committed. Read the results while you send: a client that does not is read no further after some hundred lines. Blank lines have no result. An
answer that ends before every line has a result says nothing of the others: send those again. Before the API stops it says so, by a last
result that is 503 with the \`code\` \`stream_ended\`: it is that of the first line that was not read.

Each event is judged as if it came alone: valid ones are committed even when others are refused, of events with the same \`event_id\` the first
is ingested and the others are 409, and an event of an application that the token may not use is 403. A body that cannot be read at all, or
of which no event could be taken for lack of room, is refused as a whole.`;

/** Ingest of many events at a time. */
export function eventBatchRoutes(context: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'events.ingest_batch',
      summary: 'Ingests many events: an array, or a stream of lines of any length',
      description,
      method: 'post',
      path: '/events/batch',
      access: 'application',
      bodies: [
        { contentType: 'application/json', schema: documentedEventBatch },
        { contentType: lines, schema: eventPost },
      ],
      answer: { status: 200, schema: batchView },
      otherAnswers: [{ status: 200, schema: batchItemView, contentType: lines }],
      handle: (request) => (isOfLines(request.message) ? ingestLines(context, request) : ingestArray(context, request)),
    }),
  ];
}

function isOfLines(message: IncomingMessage): boolean {
  return /^application\/(?:x-)?ndjson\s*(?:;|$)/i.test(message.headers['content-type'] ?? '');
}

async function ingestArray(context: ApiContext, request: RequestContext): Promise<Reply> {
  const events = await readArray(request.message);
  const ingest = createItemIngest(context, request);
  const results: BatchItem[] = [];
  while (events.length > 0) {
    results.push(...(await Promise.all(startNext(events, ingest))));
  }
  if (results.every(({ status }) => status === 503)) {
    throw new ProblemError('ServiceUnavailable', { headers: { 'Retry-After': String(retryAfterOf(results)) } });
  }
  return { status: 200, body: results };
}

async function readArray(message: IncomingMessage): Promise<unknown[]> {
  return parseBody(eventBatch, await readJsonBody(message, batchBodyBytesMax));
}

/** Takes no more at a time than of a stream: what waits in the process is shared by all. Nothing keeps what was taken. */
function startNext(events: unknown[], ingest: (item: Item) => Promise<BatchItem>): Promise<BatchItem>[] {
  return events.splice(0, streamAheadLinesMax).map((event) => ingest({ read: () => event }));
}

function retryAfterOf(results: readonly BatchItem[]): number {
  return Math.max(1, ...results.map((result) => ('retry_after' in result ? (result.retry_after ?? 1) : 1)));
}

async function ingestLines(context: ApiContext, request: RequestContext): Promise<Reply> {
  const { message } = request;
  const items = untilStopped(readLines(message, context.settings.eventBodyBytesMax), context.stopping);
  message.socket.setTimeout(streamIdleMsMax);
  const batcher = ingestPatiently(context.batcher, context.wait);
  const ingest = createItemIngest({ ...context, batcher }, request);
  const results = inOrder(items, ingest, { itemsMax: streamAheadLinesMax, bytesMax: streamAheadBytesMax });
  return { status: 200, stream: { type: lines, parts: linesOf(results) } };
}

async function* linesOf(results: AsyncIterable<readonly BatchItem[]>): AsyncGenerator<string> {
  for await (const finished of results) {
    yield finished.map((result) => `${JSON.stringify(result)}\n`).join('');
  }
}

/** When the process is to stop, no more lines are read; what was read comes to its end. */
async function* untilStopped<Line extends Item & { readonly bytes: number }>(
  source: AsyncIterator<Line>,
  stopping: AbortSignal,
): AsyncGenerator<Item & { readonly bytes: number }> {
  let stop: (() => void) | null = null;
  const onStopping = (): void => stop?.();
  stopping.addEventListener('abort', onStopping);
  try {
    for (;;) {
      // A new promise for each line: one for all of them would gather what waits for it as long as the stream lasts.
      const next = await new Promise<IteratorResult<Line> | null>((resolve, reject) => {
        stop = () => resolve(null);
        if (stopping.aborted) {
          resolve(null);
        } else {
          source.next().then(resolve, reject);
        }
      });
      if (next === null) {
        // Ends with the connection, and nobody wants to know how.
        void discard(source);
        yield { bytes: 0, read: () => failEnded() };
        return;
      }
      if (next.done) {
        return;
      }
      yield next.value;
    }
  } finally {
    stopping.removeEventListener('abort', onStopping);
  }
}

/** Closing a connection on unread bytes resets it, and the client might lose the end of the answer. */
async function discard(source: AsyncIterator<unknown>): Promise<void> {
  try {
    while (!(await source.next()).done);
  } catch {
    // The client has gone.
  }
}

function failEnded(): never {
  throw new ProblemError('ServiceUnavailable', {
    code: 'stream_ended',
    detail: 'The API is being stopped. Neither this line nor those after it were read: send them again.',
    headers: { 'Retry-After': '1' },
  });
}
