import cors from 'cors';
import type { Exchange } from './exchange.ts';

/** Seconds for which browsers remember a preflight. */
const maxAgeSeconds = 3600;

/**
 * Lets pages of these origins call the API; of any when there are none. Nothing is given away by that: tokens travel in a header that pages
 * must set themselves, never in a cookie. A preflight goes on to the handler of OPTIONS, which answers it. Who names no origin is no page.
 */
export function allowOrigins(origins: readonly string[]): (exchange: Pick<Exchange, 'message' | 'response'>) => void {
  const addHeaders = cors({
    origin: origins.length === 0 ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Content-Encoding', 'Hook0-Client-Options', 'X-Request-Id'],
    exposedHeaders: ['Link', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
    maxAge: maxAgeSeconds,
    preflightContinue: true,
  });
  return ({ message, response }) => {
    if (message.headers.origin !== undefined) {
      addHeaders(message, response, doNothing);
    }
  };
}

/** The headers are set when the call returns. */
function doNothing(): void {}
