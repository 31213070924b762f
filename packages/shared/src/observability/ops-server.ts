import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { urlOf } from './server-url.ts';

/** Whether a process is ready for work, and what it says of its parts. */
export interface Readiness {
  readonly ready: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface OpsServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** False when only a restart helps. */
  readonly isAlive: () => boolean;
  readonly readiness: () => Promise<Readiness>;
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  readonly logger: Logger;
}

export interface OpsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves operators on a port of their own: `/health/live`, `/health/ready`, `/metrics`. Fails when the port is taken. */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.logger.error({ event: 'ops.failed', err: error }, 'an operations request failed');
      response.writeHead(500).end();
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    url: urlOf(server),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(options: OpsServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').replace(/[?#].*/s, '');
  switch (path) {
    case '/health/live': {
      const alive = options.isAlive();
      sendJson(response, alive ? 200 : 503, { alive });
      return;
    }
    case '/health/ready': {
      const { ready, details } = await options.readiness();
      sendJson(response, ready ? 200 : 503, { ready, ...details });
      return;
    }
    case '/metrics': {
      const metrics = await options.registry.metrics();
      response.writeHead(200, { 'content-type': options.registry.contentType }).end(metrics);
      return;
    }
    default:
      sendJson(response, 404, { error: 'Known paths: /health/live, /health/ready, /metrics.' });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
