import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { verifyWebhookSignature } from 'hook0-client';
import { Webhook } from 'standardwebhooks';

/** A webhook that arrived. */
export interface Arrival {
  readonly path: string;
  readonly eventId: string;
  readonly retryCount: number;
  readonly status: number;
  /** Whether both signatures are right. */
  readonly isVerified: boolean;
}

export interface DemoReceiver {
  /** Without a final slash. */
  readonly url: string;
  /** The secret that requests to a path are signed with. */
  trust(path: string, secrets: { readonly secret: string; readonly standardSecret: string }): void;
  close(): Promise<void>;
}

export interface DemoReceiverOptions {
  readonly port: number;
  /** Fails this often before it takes an event. */
  readonly failuresOf: (path: string) => number;
  readonly onArrival: (arrival: Arrival) => void;
}

const toleranceSeconds = 300;

/** A receiver as a customer would write it: it verifies what arrives with the public client libraries. */
export async function startDemoReceiver(options: DemoReceiverOptions): Promise<DemoReceiver> {
  const secrets = new Map<string, { secret: string; standardSecret: string }>();

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('error', () => response.destroy());
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const known = secrets.get(path);
      const isVerified = known !== undefined && isSigned(known, request, Buffer.concat(chunks));
      const retryCount = Number(request.headers['x-retry-count']);
      const status = isVerified ? (retryCount < options.failuresOf(path) ? 500 : 204) : 401;
      response.writeHead(status).end();
      options.onArrival({ path, eventId: String(request.headers['x-event-id']), retryCount, status, isVerified });
    });
  };

  const server = createServer(handle).listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${options.port}`,
    trust: (path, known) => void secrets.set(path, known),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function isSigned(known: { readonly secret: string; readonly standardSecret: string }, request: IncomingMessage, body: Buffer): boolean {
  try {
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const isHook0 = verifyWebhookSignature(headers.get('x-hook0-signature') ?? '', body, headers, known.secret, toleranceSeconds);
    new Webhook(known.standardSecret).verify(body, Object.fromEntries(headers));
    // The library answers with an error where the signature is wrong.
    return isHook0 === true;
  } catch {
    return false;
  }
}
