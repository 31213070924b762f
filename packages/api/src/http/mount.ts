import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { clientAddress } from '@postrider/shared/domain/client-address';
import { ProblemError, problemDocument } from '../problems.ts';
import type { ApiContext } from '../context.ts';
import type { ApiReport } from '../report.ts';
import { IngestionOverloadedError } from '../services/ingest-pressure.ts';
import type { RateLimiter } from '../services/limits/rate-limiter.ts';
import type { Authenticator } from './authenticate.ts';
import { authorizeOperation } from './authorize.ts';
import { allowOrigins } from './cors.ts';
import { originOf } from './origin.ts';
import { invalidField } from './parse.ts';
import { problemOf } from './problem-of.ts';
import { admitPrincipal, admitRequest } from './rate-limits.ts';
import { type RawRequest, readRequest } from './read-request.ts';
import type { DescribedProblem, Route } from './route.ts';
import { securityHeaders } from './security-headers.ts';
import { send } from './send.ts';

export interface MountOptions {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly report: ApiReport;
  readonly context: Pick<ApiContext, 'db' | 'tokens' | 'now' | 'settings'>;
}

const basePath = '/api/v1';
const securityHeaderList = Object.entries(securityHeaders);
/** The npm client of Hook0 joins paths to a base URL without a final slash so that its version is lost. */
const aliases: ReadonlySet<string> = new Set(['/api/event', '/api/event_types']);

/** Makes an express application of routes. Every error it answers with is a problem document. */
export function mountRoutes(options: MountOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  // Paths are what the document says, letter by letter: proxies and metrics know no others.
  app.enable('case sensitive routing');
  app.use((request, response, next) => {
    request.url = normalizeUrl(request.url);
    beginRequest(options, request, response);
    next();
  });
  app.use(allowOrigins(options.context.settings.corsAllowedOrigins ?? []), async (request, response, next) => {
    requireHost(request);
    await admitRequest(options, { path: request.path, ip: ipOf(options, request) }, response);
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
  for (const [name, value] of securityHeaderList) {
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
  const identify = async () =>
    route.access === 'public' ? ({ kind: 'anonymous' } as const) : options.authenticator.authenticate(request.headers.authorization);
  const principal = await identify();
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
    async identifyAgain() {
      const current = await identify();
      authorizeOperation(current, route);
      return current;
    },
    describeProblem: (error) => describeProblem(options.report, error, request, response),
  };
  await send(request, response, await route.handle(await readRequest(options.context, route, principal, raw)));
}

/** Where the client is, also behind proxies that are trusted. */
function ipOf({ context }: MountOptions, request: Request): string | null {
  const { 'x-forwarded-for': forwardedFor, forwarded } = request.headers;
  const hops = { peer: request.socket.remoteAddress, forwardedFor: forwardedFor?.toString(), forwarded };
  return clientAddress(hops, context.settings.reverseProxyIps ?? []);
}

function onlyTexts(params: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}

function queryOf(request: Request): Record<string, string | readonly string[]> {
  if (!request.url.includes('?')) {
    return {};
  }
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
    const { problem, document } = describeProblem(report, error, request, response);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.options.headers ?? {})) {
      response.setHeader(name, value);
    }
    response.status(problem.status).type('application/problem+json');
    response.end(JSON.stringify(document));
  };
}

/** What a failure is to the client. Those of ours are reported. */
function describeProblem(report: ApiReport, error: unknown, request: Request, response: Response): DescribedProblem {
  const problem = problemOf(error);
  if (error instanceof IngestionOverloadedError) {
    report.refused(error.reason);
  } else if (problem.status >= 500 && !(error instanceof ProblemError)) {
    // What is a problem by intention is none that somebody has to look into.
    report.failed(error, { requestId: String(response.getHeader('X-Request-Id')), method: request.method, path: request.path });
  }
  const baseUrl = originOf({ protocol: request.protocol, host: request.headers.host, socket: request.socket });
  return { problem, document: problemDocument(problem, { baseUrl, instance: request.path }) };
}
