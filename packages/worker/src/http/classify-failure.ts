import type { DeliveryErrorName } from '@postrider/shared/domain/outcome';
import { errors } from 'undici';

/** The target may not be reached: its address is private, or its URL is not one that we send to. */
export class ForbiddenTargetError extends Error {
  override readonly name = 'ForbiddenTargetError';
}

/** A host name could not be resolved. */
export class DnsError extends Error {
  override readonly name = 'DnsError';
}

/** No host name can be resolved: our name servers fail as a whole, and the target is not to blame. */
export class ResolverFailedError extends Error {
  override readonly name = 'ResolverFailedError';
}

/** A failure by its name and in words, or a fault on our side. */
export type ClassifiedFailure =
  | { readonly kind: 'error'; readonly errorName: Exclude<DeliveryErrorName, 'E_HTTP'>; readonly message: string }
  | { readonly kind: 'own_fault'; readonly message: string };

/** Instead of EADDRNOTAVAIL, which means that ports ran out for IPv4, but for IPv6 mostly that it is not set up here. */
const noRouteForIPv6 = 'EADDRNOTAVAIL_IPV6';

/** Out of sockets, files, ports or memory, or without a network: nothing that the receiver could help. */
const ownFaults: Readonly<Record<string, string>> = {
  EMFILE: 'this worker has no more files to open',
  ENFILE: 'this machine has no more files to open',
  ENOBUFS: 'this machine has no more buffers for sockets',
  ENOMEM: 'this machine has no more memory',
  EADDRNOTAVAIL: 'this machine has no more ports to connect from',
  ENETDOWN: 'the network of this machine is down',
  ERR_MEMORY_ALLOCATION_FAILED: 'this worker has no more memory',
  ERR_SSL_MALLOC_FAILURE: 'this worker has no more memory',
};

const timeouts: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);

const connectionFailures: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the receiver refused the connection',
  ECONNRESET: 'the receiver reset the connection',
  ECONNABORTED: 'the connection was aborted',
  EPIPE: 'the receiver closed the connection while the request was sent',
  EHOSTUNREACH: 'the host of the receiver cannot be reached',
  ENETUNREACH: 'the network of the receiver cannot be reached',
  EPROTO: 'the TLS handshake failed',
  [noRouteForIPv6]: 'this machine has no address to reach the receiver by IPv6 from',
  UND_ERR_SOCKET: 'the receiver closed the connection without an answer',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the body of the answer is not as long as its Content-Length says',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is too large',
};

/** What ends a connection, and means another thing once a part of the answer has arrived. */
const endsOfConnection: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Statuses below 200 that undici breaks the connection off at: 100 without `Expect`, and 101. It says so in words only. */
const unaskedStatuses: ReadonlySet<string> = new Set(['bad response', 'bad upgrade']);

/**
 * Names what went wrong with a request, given whether the head of its answer had arrived. The words are ours: nothing of the error's own
 * text reaches the log but its code.
 */
export function classifyFailure(error: unknown, hasAnswered: boolean): ClassifiedFailure {
  if (error instanceof ForbiddenTargetError) {
    return { kind: 'error', errorName: 'E_INVALID_TARGET', message: error.message };
  }
  if (error instanceof DnsError) {
    return { kind: 'error', errorName: 'E_DNS', message: error.message };
  }
  if (error instanceof ResolverFailedError) {
    return { kind: 'own_fault', message: error.message };
  }
  const code = codeOf(error);
  const ownFault = ownFaults[code];
  if (ownFault !== undefined) {
    return { kind: 'own_fault', message: `${ownFault} (${code})` };
  }
  if (timeouts.has(code)) {
    return { kind: 'error', errorName: 'E_TIMEOUT', message: 'the connection was not established in time' };
  }
  if (error instanceof errors.SocketError && unaskedStatuses.has(error.message)) {
    return { kind: 'error', errorName: 'E_CONNECTION', message: 'the receiver answered with a status below 200 that was not asked for' };
  }
  const connectionFailure = hasAnswered && endsOfConnection.has(code) ? 'the receiver broke off its answer' : connectionFailures[code];
  if (connectionFailure !== undefined) {
    return { kind: 'error', errorName: 'E_CONNECTION', message: `${connectionFailure} (${code})` };
  }
  // The parser does not give a code to everything that it stumbles over.
  if (code.startsWith('HPE_') || error instanceof errors.HTTPParserError) {
    return { kind: 'error', errorName: 'E_CONNECTION', message: 'the receiver answered something that is not HTTP' };
  }
  if (isTlsCode(code)) {
    return { kind: 'error', errorName: 'E_CONNECTION', message: `the certificate or the TLS handshake of the receiver failed (${code})` };
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    return { kind: 'error', errorName: 'E_INVALID_TARGET', message: 'the request cannot be built from this target' };
  }
  return { kind: 'error', errorName: 'E_UNKNOWN', message: `the request failed (${code === '' ? 'no code' : code})` };
}

/** The code of an error, or of the first that an attempt at several addresses collected. A fault of ours among them comes first. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    const codes = error.errors.map(codeOf);
    return codes.find((code) => ownFaults[code] !== undefined) ?? codes[0] ?? '';
  }
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) {
    return '';
  }
  const isIPv6 = 'address' in error && typeof error.address === 'string' && error.address.includes(':');
  return error.code === 'EADDRNOTAVAIL' && isIPv6 ? noRouteForIPv6 : error.code;
}

/** Codes of Node's TLS and of OpenSSL's verification (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
function isTlsCode(code: string): boolean {
  return /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH)/.test(
    code,
  );
}
