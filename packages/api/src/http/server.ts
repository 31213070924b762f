import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type FollowedAnswers, followAnswers } from './drain.ts';
import { ProblemError, problemDocument, type ProblemOptions } from '../problems.ts';
import { addressOf } from './origin.ts';
import { securityHeaders } from './security-headers.ts';

export interface ApiServerOptions {
  readonly keepAliveTimeoutMs: number;
  /** How long a request may take to arrive, and how often that is looked after; Node's five minutes and 30 seconds otherwise. */
  readonly arrival?: { readonly requestTimeout: number; readonly connectionsCheckingInterval: number };
}

/** Headers and request line together, in bytes. */
const headerBytesMax = 16 * 1024;

/** A server that can be ended gently. */
export interface ApiServer {
  readonly server: Server;
  readonly answers: FollowedAnswers;
}

/** An HTTP server whose answers are problem documents even where the request never gets as far as the application. */
export function createApiServer(app: RequestListener, options: ApiServerOptions): ApiServer {
  const server = createServer({
    keepAliveTimeout: options.keepAliveTimeoutMs,
    maxHeaderSize: headerBytesMax,
    // The application answers a request without Host itself: Node would with an empty body.
    requireHostHeader: false,
    ...options.arrival,
  });
  const answers = followAnswers(server);
  server.on('request', app);
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { status, headers, body } = answerOf(request.socket, 417, {
      detail: 'Expect may only be 100-continue.',
      code: 'expectation_failed',
    });
    response.writeHead(status, headers).end(body);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const answer = answers.answerOn(socket);
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isStreaming(answer)) {
      return;
    }
    if (error.code === 'ECONNRESET' || !socket.writable || answer?.headersSent === true) {
      socket.destroy();
      return;
    }
    const { status, headers, body } = answerOf(socket, ...unreadable(error.code));
    const head = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  });
  return { server, answers };
}

/** A request whose answer is under way while it is being read takes as long as it takes; it has a limit on standing still instead. */
function isStreaming(response: ServerResponse | undefined): boolean {
  return response?.headersSent === true && !response.req.complete;
}

/** What Node's parser stumbled over. */
function unreadable(code: string | undefined): [status: number, problem: ProblemOptions] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, { detail: `The request line and the headers are larger than ${headerBytesMax} bytes.`, code: 'headers_too_large' }];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, { detail: 'The chunk extensions of the body are too large.', code: 'chunk_extensions_too_large' }];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, { detail: 'The request did not arrive in time.', code: 'request_timeout' }];
    default:
      return [400, { detail: 'This is not an HTTP request.', code: 'not_http' }];
  }
}

function answerOf(socket: Duplex, status: number, options: ProblemOptions) {
  const problem = new ProblemError('JsonPayload', { ...options, status });
  const body = JSON.stringify(problemDocument(problem, { baseUrl: addressOf(socket), instance: null }));
  const headers = {
    ...securityHeaders,
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': randomUUID(),
    Date: new Date().toUTCString(),
  };
  return { status, headers, body };
}
