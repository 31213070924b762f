import { PostriderError, PostriderTransportError, refusalOf } from '../errors.ts';

/** A request to the API. */
export interface WireRequest {
  readonly method: string;
  /** With its values, below `/api/v1`. */
  readonly path: string;
  /** With its question mark; empty when there is none. */
  readonly search: string;
  /** As errors name it: without values, because some of them are secrets. */
  readonly operation: string;
  /** JSON; null when there is none. */
  readonly body: string | null;
  /** What counts as success. */
  readonly statuses: readonly number[];
  readonly isRepeatable: boolean;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON; undefined when there is none. */
  readonly body: unknown;
}

export interface Connection {
  /** With `/api/v1` and without a final slash. */
  readonly baseUrl: string;
  readonly token: string | null;
  readonly fetch: typeof fetch;
}

/** Sends a request once. Failures are a PostriderError or a PostriderTransportError; what `signal` says is thrown as it is. */
export async function sendOnce(
  { baseUrl, token, fetch }: Connection,
  request: WireRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | null },
): Promise<WireAnswer> {
  const { method, path, search, operation, body, statuses } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${baseUrl}${path}${search}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === null ? {} : { body }),
      // A redirect would turn a POST into a GET, or lead the token to another server.
      redirect: 'manual',
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
    const text = await response.text();
    const parsed = parseJson(text);
    if (statuses.includes(response.status) && (text === '' || parsed !== undefined)) {
      return { status: response.status, headers: response.headers, body: parsed };
    }
    throw refusalOf(response.ok ? null : parsed, {
      operation,
      status: response.status,
      requestId: response.headers.get('x-request-id'),
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
      otherwise: "This is not an answer of Postrider's API: check the URL and what stands between.",
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof PostriderError ? error : transportError(error, { operation, baseUrl, timeoutMs, isTimeout: timeout.aborted });
  }
}

/** What Node calls a failure before anything was sent. Other runtimes do not tell, so that the request counts as sent there. */
const unsentCodes: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function transportError(
  error: unknown,
  request: { readonly operation: string; readonly baseUrl: string; readonly timeoutMs: number; readonly isTimeout: boolean },
): PostriderTransportError {
  const { operation, baseUrl, timeoutMs, isTimeout } = request;
  if (isTimeout) {
    const message = `${operation} was not answered within ${timeoutMs} ms. Whether it was done is not known.`;
    return new PostriderTransportError(message, { operation, reason: 'timeout', wasSent: true, cause: error });
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  const { origin } = new URL(baseUrl);
  const message = `${operation}: ${origin} gave no answer${typeof code === 'string' ? ` (${code})` : ''}.`;
  return new PostriderTransportError(message, { operation, reason: 'connection', wasSent: !unsentCodes.has(code), cause });
}

/** Seconds or a date (RFC 9110). */
function retryAfterMs(header: string | null): number | null {
  if (header === null) {
    return null;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(ms, 0) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
