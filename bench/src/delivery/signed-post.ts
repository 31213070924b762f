import { coverHeaders, signHook0, signStandard } from '@postrider/shared/domain/signature';
import { Agent, type Dispatcher } from 'undici';

/** What a contender knows of a delivery. */
export interface Delivery {
  readonly requestAttemptId: string;
  readonly eventId: string;
  readonly eventTypeName: string;
  readonly payload: Buffer;
}

/** What every contender stores of an answer. */
export interface Response {
  readonly httpCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Poster {
  post(delivery: Delivery): Promise<Response>;
}

const secret = 'f1a7c2d4-9f3b-4d59-8a7e-2b1c0d3e4f55';
/** As a worker's; the worker's own covers connecting, too. */
const peerTimeoutMs = 15_000;

/** The headers that a worker with its default settings sends, both signatures among them; names and values in turn. */
export function signedHeaders(delivery: Delivery): string[] {
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const signed: [string, string][] = [
    ['content-type', 'application/json'],
    ['x-event-id', delivery.eventId],
    ['x-event-type', delivery.eventTypeName],
    ['x-attempt-id', delivery.requestAttemptId],
    ['x-retry-count', '0'],
  ];
  const body = delivery.payload;
  const headers = signed.flat();
  headers.push(
    'user-agent',
    'Postrider/0.1.0',
    'X-Hook0-Signature',
    signHook0({ secret, timestampSeconds, headers: coverHeaders(signed), body, versions: { v0: false, v1: true } }),
    'webhook-id',
    delivery.eventId,
    'webhook-timestamp',
    String(timestampSeconds),
    'webhook-signature',
    signStandard({ secrets: [secret], id: delivery.eventId, timestampSeconds, body }),
  );
  return headers;
}

/** Connections as a worker has them: HTTP/1.1, kept alive, as many as deliveries at a time. 0 is no timeout. */
export function openAgent(connections: number, timeoutMs: number): Agent {
  return new Agent({ allowH2: false, connections, pipelining: 1, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
}

/** Sends signed requests the cheapest way that undici has, for peers that await each. */
export function openPoster(url: string, connections: number): Poster {
  const { origin, pathname: path } = new URL(url);
  const agent = openAgent(connections, peerTimeoutMs);
  return {
    post: (delivery) =>
      new Promise((resolve, reject) => {
        const headers = signedHeaders(delivery);
        agent.dispatch({ origin, path, method: 'POST', headers, body: delivery.payload }, responseHandler(resolve, reject));
      }),
  };
}

function responseHandler(resolve: (response: Response) => void, reject: (error: Error) => void): Dispatcher.DispatchHandler {
  const chunks: Buffer[] = [];
  const headers: Record<string, string> = {};
  let httpCode = 0;
  return {
    onRequestStart() {},
    onResponseStart(_controller, status, received) {
      httpCode = status;
      for (const [name, value] of Object.entries(received)) {
        if (value !== undefined) {
          headers[name] = typeof value === 'string' ? value : value.join(', ');
        }
      }
    },
    onResponseData(_controller, chunk) {
      chunks.push(chunk);
    },
    onResponseEnd: () => resolve({ httpCode, headers, body: Buffer.concat(chunks) }),
    onResponseError: (_controller, error) => reject(error),
  };
}
