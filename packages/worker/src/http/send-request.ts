import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import { type Dispatcher, Pool } from 'undici';
import type { BuiltRequest } from './build-request.ts';
import { classifyFailure } from './classify-failure.ts';
import { Deadlines } from './deadlines.ts';
import { createGuardedConnector, type GuardOptions } from './guard-target.ts';
import { createOriginPools, type OriginPool } from './origin-pools.ts';
import { ResponseCapture } from './response-capture.ts';
import { parseRetryAfterMs } from './retry-after.ts';

export interface SenderOptions extends GuardOptions {
  /** Connections to one origin: as many as deliveries at once, so that nobody waits inside the pool. */
  readonly slots: number;
  /** Over DNS, connecting, headers and body together. */
  readonly timeoutMs: number;
  /** The beginning of a response body that is kept. */
  readonly responseBodyBytesMax: number;
  /** The process's monotonic clock. */
  readonly now: () => number;
  /** Milliseconds since 1970, for dates in headers. */
  readonly epochNow: () => number;
  /** Told of each outcome before anybody else. */
  readonly onOutcome?: (outcome: DeliveryOutcome) => void;
}

export interface Sender {
  /**
   * Sends one request and tells once what came of it. A shorter timeout than the worker's may be given; a longer one counts for nothing, since
   * leases are made for the worker's. A callback, since the promises of each delivery show in the profile. Never throws.
   */
  send(request: BuiltRequest, timeoutMs: number | null, onOutcome: (outcome: DeliveryOutcome) => void): void;
  /** Breaks off every request in flight. */
  abortAll(): void;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Idle connections close after this unless the receiver announces another time, within the second. */
const keepAliveMs = 4000;
const keepAliveMaxMs = 30_000;
/** Hosts that are remembered with their connections, at some 22 KB each without TLS: up to 90 MB. */
const originsMax = 4000;

/** Sends over HTTP/1.1 with connections that are kept alive. Redirects are not followed. */
export function createSender(options: SenderOptions): Sender {
  const connect = createGuardedConnector(options);
  const pools = createOriginPools({
    createPool: (origin) =>
      new Pool(origin, {
        allowH2: false,
        connect,
        connections: options.slots,
        pipelining: 1,
        keepAliveTimeout: keepAliveMs,
        keepAliveMaxTimeout: keepAliveMaxMs,
        // One deadline of ours covers every phase.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    originsMax,
    idleMs: 2 * keepAliveMaxMs,
    now: options.now,
  });
  const ownDeadlines = deadlinesAfter(options.timeoutMs);
  // Whole seconds below the worker's timeout: a few dozen at most.
  const shorterDeadlines = new Map<number, Deadlines<Delivery>>();

  function deadlinesAfter(afterMs: number): Deadlines<Delivery> {
    return new Deadlines<Delivery>({ afterMs, now: options.now, onDeadline: (delivery) => delivery.timeOut() });
  }

  function deadlinesOf(timeoutMs: number | null): Deadlines<Delivery> {
    if (timeoutMs === null || timeoutMs >= options.timeoutMs) {
      return ownDeadlines;
    }
    const known = shorterDeadlines.get(timeoutMs) ?? deadlinesAfter(timeoutMs);
    shorterDeadlines.set(timeoutMs, known);
    return known;
  }

  return {
    send(request, timeoutMs, onOutcome) {
      const deadlines = deadlinesOf(timeoutMs);
      const origin = pools.get(request.origin);
      const delivery: Delivery = new Delivery(options, origin, (outcome) => {
        deadlines.end(deadline);
        options.onOutcome?.(outcome);
        onOutcome(outcome);
      });
      const deadline = deadlines.start(delivery, delivery.startedAt);
      try {
        origin.pool.dispatch(request, delivery);
      } catch (error) {
        delivery.fail(error);
      }
    },
    abortAll() {
      for (const deadlines of [ownDeadlines, ...shorterDeadlines.values()]) {
        deadlines.items().forEach((delivery) => delivery.abort());
      }
    },
    close: () => pools.destroy(),
  };
}

/**
 * One request on its way. A handler of the pool's events: reading through a stream would cost 20 us more, and an AbortSignal would nearly
 * double the cost of a request.
 */
class Delivery implements Dispatcher.DispatchHandler {
  readonly #options: SenderOptions;
  readonly #origin: OriginPool;
  readonly #settle: (outcome: DeliveryOutcome) => void;
  readonly #capture: ResponseCapture;
  readonly startedAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  #isSettled = false;

  constructor(options: SenderOptions, origin: OriginPool, settle: (outcome: DeliveryOutcome) => void) {
    this.#options = options;
    this.#origin = origin;
    origin.inFlight += 1;
    this.#settle = settle;
    this.#capture = new ResponseCapture(options.responseBodyBytesMax);
    this.startedAt = options.now();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) {
      // The deadline passed while the connection was being made.
      controller.abort(new Error('settled'));
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    httpCode: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Informational answers precede the one that counts.
    if (httpCode >= 200) {
      this.#capture.start(httpCode, headers);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#capture.add(chunk) && !this.#isSettled) {
      // The status decides, and reading on would only cost: the rest is left with the connection.
      this.#settleWithResponse();
      controller.abort(new Error('enough was read'));
    }
  }

  onResponseEnd(): void {
    if (!this.#isSettled) {
      this.#settleWithResponse();
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  /** The deadline: whatever phase the request is in, it ends here. */
  timeOut(): void {
    const message = this.#capture.hasStarted
      ? 'the receiver did not finish its answer in time'
      : this.#controller
        ? 'the receiver did not answer in time'
        : 'the connection was not established in time';
    this.#fail({ kind: 'error', errorName: 'E_TIMEOUT', message });
    this.#controller?.abort(new Error('timed out'));
  }

  abort(): void {
    this.#fail({ kind: 'error', errorName: 'E_UNKNOWN', message: 'the worker was stopped before the receiver answered' });
    this.#controller?.abort(new Error('aborted'));
  }

  fail(error: unknown): void {
    this.#fail(classifyFailure(error, this.#capture.hasStarted));
  }

  #fail(failure: ReturnType<typeof classifyFailure>): void {
    if (this.#isSettled) {
      return;
    }
    const elapsedMs = this.#finish();
    if (failure.kind === 'own_fault') {
      this.#settle({ ...failure, elapsedMs });
    } else {
      this.#settle({ ...failure, elapsedMs, response: this.#capture.hasStarted ? this.#capture.toResponse() : null });
    }
  }

  #settleWithResponse(): void {
    const elapsedMs = this.#finish();
    const retryAfterMs = parseRetryAfterMs(this.#capture.header('retry-after'), this.#options.epochNow());
    this.#settle({ kind: 'response', response: this.#capture.toResponse(), elapsedMs, retryAfterMs });
  }

  #finish(): number {
    this.#isSettled = true;
    this.#origin.inFlight -= 1;
    return this.#options.now() - this.startedAt;
  }
}
