import type { CallOptions } from '../caller.ts';
import { PostriderError, refusalOf } from '../errors.ts';
import type { WireRequest } from '../http/request.ts';
import { decideRetry } from '../http/retry.ts';
import type { Clock, Send, SendOptions, Sent } from '../http/send.ts';
import { wasIngestedBefore } from './already-ingested.ts';
import type { EventInput, IngestedEvent } from './event-input.ts';
import type { QueuedEvent } from './event-queue.ts';

export interface BatchContext {
  readonly send: Send;
  /** One event alone, for an API that takes no batches. */
  readonly ingest: (event: EventInput, options: CallOptions) => Promise<IngestedEvent>;
  readonly clock: Clock;
  readonly options: SendOptions;
}

/** How many events of one batch are under way at once where the API takes no batches. */
const singlesMax = 8;
/** How long an API without batches is taken to stay one: it may be updated while we run. */
const singlesForMs = 10 * 60_000;

const operation = 'POST /events/batch';

/** Sends batches, and decides every event of them. */
export class BatchTransport {
  readonly #context: BatchContext;
  #singlesUntil = Number.NEGATIVE_INFINITY;

  constructor(context: BatchContext) {
    this.#context = context;
  }

  /** Never rejects: what becomes of an event is told to those who wait for it. */
  async send(batch: readonly QueuedEvent[]): Promise<void> {
    try {
      await (batch.length === 1 || this.#context.clock.now() < this.#singlesUntil ? this.#sendSingles(batch) : this.#sendBatch(batch));
    } catch (error) {
      const status = error instanceof PostriderError ? error.status : null;
      if (status === 404 || status === 405) {
        this.#singlesUntil = this.#context.clock.now() + singlesForMs;
        await this.#sendSingles(batch);
      } else if (status === 413) {
        const middle = batch.length >> 1;
        await this.send(batch.slice(0, middle));
        await this.send(batch.slice(middle));
      } else {
        // Those that were decided before keep what they have.
        batch.forEach((queued) => queued.reject(error));
      }
    }
  }

  async #sendBatch(batch: readonly QueuedEvent[]): Promise<void> {
    const { send, clock, options } = this.#context;
    const { retry, signal } = options;
    const startedAt = clock.now();
    let attempts = 0;
    for (let events = batch; events.length > 0; ) {
      const left = {
        attemptsMax: Math.max(1, retry.attemptsMax - attempts),
        totalMs: Math.max(1, retry.totalMs - (clock.now() - startedAt)),
      };
      const sent = await send(batchRequest(events), { ...options, retry: { ...retry, ...left } });
      attempts += sent.attempts;
      const { again, delayMs } = this.#decideEvents(events, sent, { attempts, elapsedMs: clock.now() - startedAt });
      events = again;
      if (events.length > 0) {
        await clock.wait(delayMs, signal);
      }
    }
  }

  /** Decides every event that the answer decides; returns those that are worth another try. */
  #decideEvents(events: readonly QueuedEvent[], sent: Sent, tried: { readonly attempts: number; readonly elapsedMs: number }) {
    const { clock, options } = this.#context;
    const items: readonly unknown[] = Array.isArray(sent.body) ? sent.body : [];
    const again: QueuedEvent[] = [];
    let delayMs = 0;
    for (const [index, queued] of events.entries()) {
      const outcome = readItem(items[index], queued, sent, tried.attempts);
      if (!(outcome instanceof PostriderError)) {
        queued.resolve(outcome);
        continue;
      }
      const nextMs = decideRetry({ error: outcome, ...tried, isRepeatable: true }, options.retry, clock.random);
      if (nextMs === null) {
        queued.reject(outcome);
      } else {
        again.push(queued);
        delayMs = Math.max(delayMs, nextMs);
      }
    }
    return { again, delayMs };
  }

  async #sendSingles(batch: readonly QueuedEvent[]): Promise<void> {
    const { ingest, options } = this.#context;
    const { signal, timeoutMs, retry } = options;
    const callOptions: CallOptions = { timeoutMs, retry, ...(signal ? { signal } : {}) };
    const left = [...batch];
    const sendOneByOne = async (): Promise<void> => {
      for (let queued = left.shift(); queued !== undefined; queued = left.shift()) {
        await ingest(queued.event, callOptions).then(queued.resolve, queued.reject);
      }
    };
    await Promise.all(Array.from({ length: Math.min(singlesMax, batch.length) }, sendOneByOne));
  }
}

function batchRequest(events: readonly QueuedEvent[]): WireRequest {
  return {
    method: 'POST',
    path: '/events/batch',
    search: '',
    operation,
    body: `[${events.map(({ json }) => json).join(',')}]`,
    statuses: [200, 201, 207],
    isRepeatable: true,
  };
}

/** What became of one event: `{status, event}`, or `{status, problem, retry_after?}` as it would have been refused alone. */
function readItem(item: unknown, { event }: QueuedEvent, sent: Sent, attempts: number): IngestedEvent | PostriderError {
  const { application_id, event_id } = event;
  const status = memberOf(item, 'status');
  const receivedAt = memberOf(memberOf(item, 'event'), 'received_at');
  if (typeof status === 'number' && status < 300) {
    return { application_id, event_id, received_at: typeof receivedAt === 'string' ? receivedAt : null };
  }
  const retryAfter = memberOf(item, 'retry_after');
  const refusal = refusalOf(memberOf(item, 'problem'), {
    operation,
    status: typeof status === 'number' ? status : sent.status,
    requestId: sent.headers.get('x-request-id'),
    retryAfterMs: typeof retryAfter === 'number' ? retryAfter * 1000 : null,
    otherwise: 'The answer does not say what became of this event.',
  }).after(attempts);
  return wasIngestedBefore(refusal, attempts) ? { application_id, event_id, received_at: null } : refusal;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;
}
