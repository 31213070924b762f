import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** How a receiver answers one request. */
export type Behaviour =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string | Buffer;
      readonly delayMs?: number;
    }
  /** Takes the request and says nothing. */
  | { readonly kind: 'hang' }
  /** Sends the head, then a byte now and then, for ever. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** Sends this many bytes as fast as they are read. */
  | { readonly kind: 'flood'; readonly bytes: number }
  /** Resets the connection before or in the middle of the answer. */
  | { readonly kind: 'reset'; readonly when: 'before_head' | 'in_body' }
  /** Writes something that is not HTTP. */
  | { readonly kind: 'garbage' }
  /** Closes the connection in order, without an answer. */
  | { readonly kind: 'close' }
  /** Answers, by default with 200, when the test calls `release`. */
  | { readonly kind: 'hold'; readonly status?: number };

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  /** Lower-case names; repeated headers are joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly receivedAtMs: number;
  /** Which connection of the receiver it came over, from 1. */
  readonly connection: number;
  /** Requests of its path that were not answered when it arrived, with itself. */
  readonly openRequests: number;
}

export interface Receiver {
  /** Without a final slash. */
  readonly url: string;
  /** In the order of their arrival. */
  readonly requests: readonly ReceivedRequest[];
  connections(): number;
  /** How requests of a path are answered, one behaviour after the other; the last one stays. The default is 200. */
  respond(path: string, ...behaviours: readonly Behaviour[]): void;
  /** Answers all requests that are held, and holds no more. */
  release(): void;
  /** Resolves when `count` requests (of the path, where one is given) have arrived. */
  waitForRequests(count: number, options?: { readonly path?: string; readonly timeoutMs?: number }): Promise<readonly ReceivedRequest[]>;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A receiver on this machine that does what a test tells it to. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const scripts = new Map<string, readonly Behaviour[]>();
  const connectionNumbers = new Map<Socket, number>();
  const countOpen = createOpenRequests();
  const tcpSockets = new Map<number, Socket>();
  let held: (() => void)[] | null = [];
  let connections = 0;

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    const path = request.url ?? '';
    const openRequests = countOpen(path, response);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const connection = connectionNumbers.get(request.socket) ?? 0;
      requests.push(toReceived(request, Buffer.concat(chunks), { connection, openRequests }));
      const behaviour = next(scripts, path);
      if (behaviour.kind !== 'hold') {
        behave(behaviour, request, response, () => tcpSockets.get(request.socket.remotePort ?? 0)?.resetAndDestroy());
      } else if (held) {
        held.push(() => response.writeHead(behaviour.status ?? 200).end());
      } else {
        response.writeHead(behaviour.status ?? 200).end();
      }
    });
  };
  const server: Server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
  server.keepAliveTimeout = 60_000;
  // Only the TCP socket below TLS can be reset.
  server.on('connection', (socket: Socket) => {
    const port = socket.remotePort ?? 0;
    tcpSockets.set(port, socket);
    socket.once('close', () => tcpSockets.delete(port));
  });
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections += 1;
    connectionNumbers.set(socket, connections);
    socket.on('error', () => {});
    socket.once('close', () => connectionNumbers.delete(socket));
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;

  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    respond: (path, ...behaviours) => void scripts.set(path, behaviours),
    release() {
      held?.forEach((answer) => answer());
      held = null;
    },
    async waitForRequests(count, { path, timeoutMs } = {}) {
      const arrived = (): ReceivedRequest[] => requests.filter((request) => path === undefined || request.path === path);
      await eventually(() => arrived().length >= count, timeoutMs === undefined ? {} : { timeoutMs });
      return arrived();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Counts the requests of each path that are not answered, with the one that it is called for. */
function createOpenRequests(): (path: string, response: ServerResponse) => number {
  const counts = new Map<string, number>();
  return (path, response) => {
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    response.once('close', () => counts.set(path, (counts.get(path) ?? 0) - 1));
    return count;
  };
}

function toReceived(
  request: IncomingMessage,
  body: Buffer,
  counted: Pick<ReceivedRequest, 'connection' | 'openRequests'>,
): ReceivedRequest {
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    rawHeaders: request.rawHeaders,
    body,
    receivedAtMs: Date.now(),
    ...counted,
  };
}

function next(scripts: Map<string, readonly Behaviour[]>, path: string): Behaviour {
  const [first, ...rest] = scripts.get(path) ?? [];
  if (rest.length > 0) {
    scripts.set(path, rest);
  }
  return first ?? { kind: 'answer', status: 200 };
}

function behave(
  behaviour: Exclude<Behaviour, { readonly kind: 'hold' }>,
  request: IncomingMessage,
  response: ServerResponse,
  reset: () => void,
): void {
  const { socket } = request;
  switch (behaviour.kind) {
    case 'answer':
      setTimeout(() => {
        for (const [name, value] of Object.entries(behaviour.headers ?? {})) {
          response.setHeader(name, value);
        }
        response.writeHead(behaviour.status).end(behaviour.body);
      }, behaviour.delayMs ?? 0);
      return;
    case 'hang':
      return;
    case 'drip':
      drip(response, behaviour.everyMs);
      return;
    case 'flood':
      flood(response, behaviour.bytes);
      return;
    case 'reset':
      if (behaviour.when === 'in_body') {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nbeginning', () => setTimeout(reset, 50));
      } else {
        reset();
      }
      return;
    case 'garbage':
      socket.end('220 mail.example.com ESMTP ready\r\n');
      return;
    case 'close':
      socket.end();
      return;
  }
}

function drip(response: ServerResponse, everyMs: number): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write('.');
  const timer = setInterval(() => response.write('.'), everyMs);
  response.once('close', () => clearInterval(timer));
}

function flood(response: ServerResponse, bytes: number): void {
  const piece = Buffer.alloc(64 * 1024, 'x');
  let sent = 0;
  response.writeHead(200, { 'content-type': 'text/plain' });
  const more = (): void => {
    while (sent < bytes && !response.destroyed) {
      sent += piece.length;
      if (!response.write(piece)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}
