/** What the codes of Node, libuv and TLS mean to somebody who typed a URL. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name could not be looked up',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ETIMEDOUT: 'no connection came about in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection came about in time',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed (NODE_EXTRA_CA_CERTS makes Node trust it)',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is not trusted (NODE_EXTRA_CA_CERTS makes Node trust it)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted (NODE_EXTRA_CA_CERTS makes Node trust it)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: try http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: try http://',
};

/** Why no answer came, with the URL that was tried. */
export function describeTransportFailure(
  error: unknown,
  request: { readonly method: string; readonly url: string; readonly timeoutMs: number },
): string {
  const { method, url, timeoutMs } = request;
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `${method} ${url} was not answered within ${timeoutMs / 1000} s (--timeout). Whether it was done is not known.`;
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : null;
  const reason = (code === null ? undefined : meanings[code]) ?? (cause instanceof Error ? cause.message : String(cause));
  return `${new URL(url).origin} cannot be reached: ${reason}${code === null ? '' : ` (${code})`}.\nTried ${method} ${url}`;
}
