import { coverValues, type HeaderOrder, orderHeaders, type SentHeader, signHook0, signStandard } from '@postrider/shared/domain/signature';

/** Where a subscription's requests go, as it is stored. */
export interface Target {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** Which signatures requests carry. */
export interface Signing {
  /** Hook0's header, `X-Hook0-Signature` unless it was renamed. */
  readonly headerName: string;
  readonly v0: boolean;
  readonly v1: boolean;
  readonly standard: boolean;
}

/** A target read once for all of its requests. */
export interface PreparedTarget {
  readonly kind: 'target';
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** The target's own, lower-case. */
  readonly customHeaders: readonly SentHeader[];
  /** The order in which the signature covers these and our own. */
  readonly covered: HeaderOrder;
}

/** Headers of ours that the signature covers, after those of the target. */
const ownHeaders = ['content-type', 'x-event-id', 'x-event-type', 'x-attempt-id', 'x-retry-count'] as const;

/** Why no request can be made: of a target that cannot be used, or of an event that does not fit into headers. */
export interface Unbuildable {
  readonly kind: 'invalid';
  readonly errorName: 'E_INVALID_TARGET' | 'E_INVALID_HEADER';
  readonly message: string;
}

export interface BuiltRequest {
  readonly kind: 'request';
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer;
}

/** Headers that we or the connection write: a target's own ones of these names are dropped. */
const reservedHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'webhook-id',
  'webhook-signature',
  'webhook-timestamp',
  'x-attempt-id',
  'x-event-id',
  'x-event-type',
  'x-retry-count',
]);

const headerToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const visibleAscii = /^[\t\x20-\x7e]*$/;

/** Reads a target. The same answer holds until the subscription changes. */
export function prepareTarget(
  target: Target,
  options: { readonly signatureHeaderName: string; readonly requireHttps: boolean },
): PreparedTarget | Unbuildable {
  const url = URL.canParse(target.url) ? new URL(target.url) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return { kind: 'invalid', errorName: 'E_INVALID_TARGET', message: 'the URL of the target is not an http or https URL' };
  }
  if (options.requireHttps && url.protocol !== 'https:') {
    return {
      kind: 'invalid',
      errorName: 'E_INVALID_TARGET',
      message: 'the URL of the target is not https, which this installation demands (REQUIRE_HTTPS_TARGETS)',
    };
  }
  const credentials = readCredentials(url);
  if (credentials === null) {
    return { kind: 'invalid', errorName: 'E_INVALID_TARGET', message: 'the user name or password in the URL of the target cannot be read' };
  }
  const customHeaders = readCustomHeaders(target, credentials, options.signatureHeaderName.toLowerCase());
  if (customHeaders === null) {
    return {
      kind: 'invalid',
      errorName: 'E_INVALID_HEADER',
      message: 'a custom header of the target has a name or value that cannot be sent',
    };
  }
  const path = `${url.pathname}${url.search}`;
  const covered = orderHeaders([...customHeaders.map(([name]) => name), ...ownHeaders]);
  return { kind: 'target', origin: url.origin, path, method: target.method.toUpperCase(), customHeaders, covered };
}

/** The target's own headers, lower-case, without those that we write; null when one cannot be sent. */
function readCustomHeaders(target: Target, credentials: string, signatureHeader: string): SentHeader[] | null {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(target.headers)) {
    const lowerCaseName = name.toLowerCase();
    const line = (typeof value === 'string' ? value : value.join(', ')).trim();
    if (!headerToken.test(name) || !visibleAscii.test(line)) {
      return null;
    }
    if (!reservedHeaders.has(lowerCaseName) && lowerCaseName !== signatureHeader && !headers.has(lowerCaseName)) {
      headers.set(lowerCaseName, line);
    }
  }
  if (credentials !== '' && !headers.has('authorization')) {
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  }
  return [...headers];
}

/** `user:password` of a URL, empty when it has none; null when its percent signs make no text, which `decodeURIComponent` throws at. */
function readCredentials(url: URL): string | null {
  if (url.username === '' && url.password === '') {
    return '';
  }
  try {
    return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    return null;
  }
}

export interface RequestParts {
  readonly attempt: {
    readonly requestAttemptId: string;
    readonly eventId: string;
    readonly eventTypeName: string;
    readonly retryCount: number;
  };
  readonly event: { readonly payload: Buffer; readonly payloadContentType: string };
  readonly target: PreparedTarget;
  /** Newest first. */
  readonly secrets: readonly [string, ...string[]];
  readonly signing: Signing;
  readonly userAgent: string;
  /** Of sending: every attempt is signed anew. */
  readonly timestampSeconds: number;
}

/** Builds and signs the request of one attempt. The `Content-Length` is written with the body. */
export function buildRequest(parts: RequestParts): BuiltRequest | Unbuildable {
  const { attempt, event, target, secrets, signing, timestampSeconds } = parts;
  if (!visibleAscii.test(attempt.eventTypeName) || !visibleAscii.test(event.payloadContentType)) {
    return {
      kind: 'invalid',
      errorName: 'E_INVALID_HEADER',
      message: 'the event or content type has characters that a header cannot carry',
    };
  }
  const headers: string[] = ['user-agent', parts.userAgent];
  const values: string[] = [];
  for (const [name, value] of target.customHeaders) {
    headers.push(name, value);
    values.push(value);
  }
  const own = [event.payloadContentType, attempt.eventId, attempt.eventTypeName, attempt.requestAttemptId, String(attempt.retryCount)];
  own.forEach((value, index) => {
    headers.push(ownHeaders[index] ?? '', value);
    values.push(value);
  });
  if (signing.v0 || signing.v1) {
    const covered = coverValues(target.covered, values);
    headers.push(
      signing.headerName,
      signHook0({ secret: secrets[0], timestampSeconds, headers: covered, body: event.payload, versions: signing }),
    );
  }
  if (signing.standard) {
    const signature = signStandard({ secrets, id: attempt.eventId, timestampSeconds, body: event.payload });
    headers.push('webhook-id', attempt.eventId, 'webhook-timestamp', String(timestampSeconds), 'webhook-signature', signature);
  }
  return { kind: 'request', origin: target.origin, path: target.path, method: target.method, headers, body: event.payload };
}
