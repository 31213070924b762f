import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { isConnectionFailure } from '@postrider/shared/database/postgres-errors';
import { clientAddress } from '@postrider/shared/domain/client-address';
import { ProblemError, problemDocument } from '../problems.ts';
import type { ApiContext } from '../context.ts';
import type { ApiReport } from '../report.ts';
import { IngestionOverloadedError } from '../services/ingestion-batcher.ts';
import type { RateLimiter } from '../services/limits/rate-limiter.ts';
import type { Authenticator } from './authenticate.ts';
import { allowOrigins } from './cors.ts';
import { originOf } from './origin.ts';
import { invalidField } from './parse.ts';
import { admitPrincipal, admitRequest } from './rate-limits.ts';
import { type RawRequest, readRequest } from './read-request.ts';
import type { Reply, Route } from './route.ts';
import { securityHeaders } from './security-headers.ts';

export interface MountOptions {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly report: ApiReport;
  readonly context: Pick<ApiContext, 'db' | 'tokens' | 'now' | 'settings'>;
}

const basePath = '/api/v1';
/** The npm client of Hook0 joins paths to a base URL without a final slash so that its version is lost. */
const aliases: ReadonlySet<string> = new Set(['/api/event', '/api/event_types']);

/** Seconds after which a client should come back when the database is away. */
const retryAfterSeconds = 5;

/** Makes an express application of routes. Every error it answers with is a problem document. */
export function mountRoutes(options: MountOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use((request, response, next) => {
    request.url = normalizeUrl(request.url);
    beginRequest(options, request, response);
    next();
  });
  app.use(allowOrigins(options.context.settings.corsAllowedOrigins ?? []), (request, response, next) => {
    requireHost(request);
    admitRequest(options, { path: request.path, ip: ipOf(options, request) }, response);
    next();
  });
  const byPath = Map.groupBy(options.routes, ({ path }) => path);
  for (const [path, routes] of byPath) {
    const router = app.route(`${basePath}${path}`);
    for (const route of routes) {
      router[route.method]((request, response) => answer(options, route, request, response));
    }
    const allowed = allowedMethods(routes);
    router.options((_request, response) => {
      response.status(204).setHeader('Allow', allowed).end();
    });
    router.all(() => {
      throw new ProblemError('NotFound', { status: 405, detail: `Allowed methods: ${allowed}.`, headers: { Allow: allowed } });
    });
  }
  app.use((request: Request) => {
    throw new ProblemError('NotFound', { detail: `There is nothing at ${request.path}.` });
  });
  app.use(problemHandler(options.report));
  return app;
}

/** Express answers HEAD as GET without the body. */
function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return [...methods, 'OPTIONS'].join(', ');
}

/** Servers must refuse a request of HTTP/1.1 that has no Host; an empty one is fine. */
function requireHost(request: Request): void {
  if (request.httpVersion === '1.1' && request.headers.host === undefined) {
    throw new ProblemError('JsonPayload', {
      code: 'host_missing',
      detail: 'The request has no Host header.',
      headers: { Connection: 'close' },
    });
  }
}

/** Slashes are rewritten, never redirected: repeated ones collapse and a final one goes. The absolute form, which proxies send, is cut. */
function normalizeUrl(target: string): string {
  const url = target.replace(/^https?:\/\/[^/?]*/i, '');
  const queryAt = url.indexOf('?');
  const query = queryAt === -1 ? '' : url.slice(queryAt);
  const path = (queryAt === -1 ? url : url.slice(0, queryAt)).replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return (aliases.has(path) || path.startsWith('/api/event_types/') ? path.replace('/api/', `${basePath}/`) : path) + query;
}

function beginRequest(options: MountOptions, request: Request, response: Response): void {
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', requestId);
  for (const [name, value] of Object.entries(securityHeaders)) {
    response.setHeader(name, value);
  }
  const startedAt = options.context.now();
  response.once('finish', () => {
    options.report.answered({
      method: request.method,
      route: routeOf(request),
      status: response.statusCode,
      tookMs: options.context.now() - startedAt,
      requestId,
    });
  });
}

/** The pattern that matched, so that metrics have few labels. */
function routeOf(request: Request): string {
  const route: unknown = request.route;
  return typeof route === 'object' && route !== null && 'path' in route ? String(route.path) : 'none';
}

async function answer(options: MountOptions, route: Route, request: Request, response: Response): Promise<void> {
  const principal =
    route.access === 'public' ? ({ kind: 'anonymous' } as const) : await options.authenticator.authenticate(request.headers.authorization);
  await admitPrincipal(options, principal, response);
  const params = onlyTexts(request.params);
  const query = queryOf(request);
  refuseUnstorable({ ...params, ...query });
  const raw: RawRequest = {
    params,
    query,
    origin: originOf({ protocol: request.protocol, host: request.headers.host, socket: request.socket }),
    pathWithQuery: request.url,
    ip: ipOf(options, request),
    requestId: String(response.getHeader('X-Request-Id')),
    message: request,
  };
  send(response, await route.handle(await readRequest(options.context, route, principal, raw)));
}

/** Where the client is, also behind proxies that are trusted. */
function ipOf({ context }: MountOptions, request: Request): string | null {
  const { 'x-forwarded-for': forwardedFor, forwarded } = request.headers;
  const hops = { peer: request.socket.remoteAddress, forwardedFor: forwardedFor?.toString(), forwarded };
  return clientAddress(hops, context.settings.reverseProxyIps ?? []);
}

function send(response: Response, reply: Reply): void {
  response.status(reply.status);
  for (const [name, value] of Object.entries(reply.headers ?? {})) {
    response.setHeader(name, value);
  }
  if (reply.content) {
    response.setHeader('Content-Type', reply.content.type);
    response.end(reply.content.bytes);
  } else if (reply.body === undefined) {
    response.end();
  } else {
    response.json(reply.body);
  }
}

function onlyTexts(params: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

function queryOf(request: Request): Record<string, string | readonly string[]> {
  const values = new Map<string, string | readonly string[]>();
  for (const [name, value] of new URLSearchParams(/\?.*/s.exec(request.url)?.[0] ?? '')) {
    const before = values.get(name);
    values.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(values);
}

/** PostgreSQL has no text with this character, so that no parameter with it can mean anything. */
function refuseUnstorable(parameters: Readonly<Record<string, string | readonly string[]>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    if ([value].flat().some((text) => text.includes('\u0000'))) {
      throw invalidField(name, { code: 'character', message: 'the character U+0000 is not allowed' });
    }
  }
}

function problemHandler(report: ApiReport): ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, _next: unknown) => {
    const problem = problemOf(error);
    if (problem.status >= 500) {
      report.failed(error, { requestId: String(response.getHeader('X-Request-Id')), method: request.method, path: request.path });
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.options.headers ?? {})) {
      response.setHeader(name, value);
    }
    response.status(problem.status).type('application/problem+json');
    response.end(
      JSON.stringify(
        problemDocument(problem, {
          baseUrl: originOf({ protocol: request.protocol, host: request.headers.host, socket: request.socket }),
          instance: request.path,
        }),
      ),
    );
  };
}

function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) {
    return error;
  }
  if (error instanceof IngestionOverloadedError || isConnectionFailure(error)) {
    return new ProblemError('ServiceUnavailable', { headers: { 'Retry-After': String(retryAfterSeconds) }, cause: error });
  }
  // Express decodes path parameters itself.
  if (error instanceof URIError) {
    return invalidField('path', { code: 'encoding', message: 'the path has percent signs that encode nothing' });
  }
  return new ProblemError('InternalServerError', { cause: error });
}
