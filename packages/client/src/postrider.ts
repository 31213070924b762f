import { type CallOptions, type Caller, createCaller, sendOptions } from './caller.ts';
import { PostriderError } from './errors.ts';
import { wasIngestedBefore } from './events/already-ingested.ts';
import { completeEvent, type EventInput, type IngestedEvent } from './events/event-input.ts';
import { EventSender, type EventSenderOptions } from './events/event-sender.ts';
import { createOperations } from './generated/operations.ts';
import { defaultRetryPolicy, type RetryPolicy } from './http/retry.ts';
import { type Clock, createSend, systemClock } from './http/send.ts';

export interface PostriderOptions {
  /** Where the API is, with or without its `/api/v1`: `https://postrider.example.com`. */
  readonly url: string;
  /** An application secret, a service token or the master key. Without one only what is open to everybody can be called. */
  readonly token?: string;
  /** For one try, the answer's body included. 15 seconds unless said otherwise. */
  readonly timeoutMs?: number;
  /** What differs from 5 tries, 60 seconds in all; `false` for one try only. */
  readonly retry?: Partial<RetryPolicy> | false;
  /** Ends everything that this client does. */
  readonly signal?: AbortSignal;
  /** Instead of the runtime's own: for a proxy, or to watch what is sent. */
  readonly fetch?: typeof fetch;
}

type Operations = ReturnType<typeof createOperations>;

/** The whole API, by the names of its operations. */
export interface Postrider extends Omit<Operations, 'events'> {
  readonly events: Omit<Operations['events'], 'ingest'> & {
    /** Ingests an event: when it resolves, the event and its deliveries are committed. Always sends an id, so that it may be retried. */
    ingest(event: EventInput, options?: CallOptions): Promise<IngestedEvent>;
  };
  /** Groups events that are sent one by one into requests of many. */
  createEventSender(options?: EventSenderOptions): EventSender;
}

/** The whole API of Postrider: `postrider.events.ingest(...)`, `postrider.subscriptions.create(...)`. */
export function createPostrider(options: PostriderOptions): Postrider {
  return connect(options, systemClock);
}

/** The same with a clock of the caller's. */
export function connect(options: PostriderOptions, clock: Clock): Postrider {
  const connection = { baseUrl: baseUrlOf(options.url), token: tokenOf(options.token), fetch: options.fetch ?? fetch };
  const send = createSend(connection, clock);
  const defaults = sendOptions({ timeoutMs: 15_000, retry: defaultRetryPolicy, signal: null }, options);
  const caller = createCaller(send, defaults);
  const operations = createOperations(caller);
  const ingest = (event: EventInput, callOptions?: CallOptions) => ingestEvent(caller, event, callOptions);
  return {
    ...operations,
    events: { ...operations.events, ingest },
    createEventSender: (senderOptions = {}) =>
      new EventSender({ send, ingest, clock, options: sendOptions(defaults, senderOptions) }, senderOptions),
  };
}

async function ingestEvent(caller: Caller, input: EventInput, options?: CallOptions): Promise<IngestedEvent> {
  const event = completeEvent(input);
  try {
    return await caller.call('events.ingest', event, options);
  } catch (error) {
    if (error instanceof PostriderError && wasIngestedBefore(error, error.attempts)) {
      return { application_id: event.application_id, event_id: event.event_id, received_at: null };
    }
    throw error;
  }
}

function baseUrlOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    // What was given is not repeated: it may hold a password.
    throw new TypeError('url must be the http or https URL of the API, without a user or password.');
  }
  const path = parsed.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  return `${parsed.origin}${path}/api/v1`;
}

function tokenOf(token: string | undefined): string | null {
  // The runtime would refuse it, too, with an error that repeats it.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError('token must be visible ASCII characters: look for a line break or a space at its end.');
  }
  return token ?? null;
}
