import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express, { type Express } from 'express';
import type { ApiContext } from '../context.ts';
import { ProblemError } from '../problems.ts';
import type { ApiReport } from '../report.ts';
import type { RateLimiter } from '../services/limits/rate-limiter.ts';
import { answer } from './answer.ts';
import type { Authenticator } from './authenticate.ts';
import { allowOrigins } from './cors.ts';
import { Exchange, type ExchangeOptions } from './exchange.ts';
import { admitRequest } from './rate-limits.ts';
import type { Route } from './route.ts';
import { send } from './send.ts';

export interface MountOptions {
  readonly routes: readonly Route[];
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly report: ApiReport;
  readonly context: Pick<ApiContext, 'db' | 'tokens' | 'now' | 'settings'>;
}

/** Routes that can be served. */
export interface MountedRoutes {
  readonly listener: RequestListener;
  /** Finds all routes, also those that the listener finds by itself. It serves what has passed the gates of the listener. */
  readonly router: Express;
}

const basePath = '/api/v1';
/** The npm client of Hook0 joins paths to a base URL without a final slash so that its version is lost. */
const aliases: ReadonlySet<string> = new Set(['/api/event', '/api/event_types']);

/**
 * Makes an HTTP listener of routes. Every request goes the same way: it gets its id and the headers of every answer, passes the rules of other
 * origins, `Host` and the rate limits, and goes on to its route. Hot routes are found by a look into a table where the URL is letter by letter
 * what it should be, all others by express. Every error is answered with a problem document.
 */
export function mountRoutes(options: MountOptions): MountedRoutes {
  const { settings } = options.context;
  const exchangeOptions: ExchangeOptions = { report: options.report, reverseProxyIps: settings.reverseProxyIps ?? [] };
  const allow = allowOrigins(settings.corsAllowedOrigins ?? []);
  const hot = new Map(options.routes.filter(({ isHot }) => isHot).map((route) => [pathOf(route), route]));
  const exchanges = new WeakMap<IncomingMessage, Exchange>();
  const router = routerOf(options, exchanges);

  /** Never fails: whatever goes wrong is answered. */
  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const ofPath = hot.get(message.url ?? '');
    const hotRoute = ofPath?.method.toUpperCase() === message.method ? ofPath : undefined;
    if (!hotRoute) {
      message.url = normalizeUrl(message.url ?? '');
    }
    const exchange = new Exchange(exchangeOptions, message, response);
    countAnswer(options, exchange, hotRoute);
    try {
      allow(exchange);
      requireHost(message);
      const admission = admitRequest(options, exchange);
      if (admission) {
        await admission;
      }
      if (hotRoute) {
        await answer(options, hotRoute, exchange, {});
      } else {
        exchanges.set(message, exchange);
        router(message, response);
      }
    } catch (error) {
      exchange.answerProblem(error);
    }
  }

  return { router, listener: (message, response) => void serve(message, response) };
}

function pathOf({ path }: Pick<Route, 'path'>): string {
  return `${basePath}${path}`;
}

function routerOf(options: MountOptions, exchanges: WeakMap<IncomingMessage, Exchange>): Express {
  const exchangeOf = (message: IncomingMessage): Exchange => {
    const exchange = exchanges.get(message);
    if (!exchange) {
      throw new Error('A request came to the router without passing the gates.');
    }
    return exchange;
  };
  const router = express();
  router.disable('x-powered-by');
  router.disable('etag');
  router.set('query parser', false);
  // Paths are what the document says, letter by letter: proxies and metrics know no others.
  router.enable('case sensitive routing');
  for (const [path, routes] of Map.groupBy(options.routes, pathOf)) {
    const ofPath = router.route(path);
    for (const route of routes) {
      ofPath[route.method]((request) => answer(options, route, exchangeOf(request), onlyTexts(request.params)));
    }
    const allowed = allowedMethods(routes);
    ofPath.options((request) => send(exchangeOf(request), { status: 204, headers: { Allow: allowed } }));
    ofPath.all(() => {
      throw new ProblemError('NotFound', { status: 405, detail: `Allowed methods: ${allowed}.`, headers: { Allow: allowed } });
    });
  }
  router.use((request) => {
    throw new ProblemError('NotFound', { detail: `There is nothing at ${request.path}.` });
  });
  const answerProblem: express.ErrorRequestHandler = (error: unknown, request, _response, _next) => {
    exchangeOf(request).answerProblem(error);
  };
  router.use(answerProblem);
  return router;
}

/** Express answers HEAD as GET without the body. */
function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return [...methods, 'OPTIONS'].join(', ');
}

/** Servers must refuse a request of HTTP/1.1 that has no Host; an empty one is fine. */
function requireHost(message: IncomingMessage): void {
  if (message.httpVersion === '1.1' && message.headers.host === undefined) {
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

/** Counts an answer at its end. */
function countAnswer({ context, report }: MountOptions, { message, response, requestId }: Exchange, hotRoute: Route | undefined): void {
  const startedAt = context.now();
  response.on('finish', () => {
    report.answered({
      method: message.method ?? '',
      route: hotRoute ? pathOf(hotRoute) : routeFoundFor(message),
      status: response.statusCode,
      tookMs: context.now() - startedAt,
      requestId,
    });
  });
}

/** The pattern that express found, so that metrics have few labels. */
function routeFoundFor(message: IncomingMessage & { readonly route?: unknown }): string {
  const { route } = message;
  return typeof route === 'object' && route !== null && 'path' in route ? String(route.path) : 'none';
}

function onlyTexts(params: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
}
