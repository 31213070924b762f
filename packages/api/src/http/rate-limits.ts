import { ProblemError } from '../problems.ts';
import type { Admission, RateLimiter, RateLimitLayer } from '../services/limits/rate-limiter.ts';
import type { Exchange } from './exchange.ts';
import type { Principal } from './principal.ts';

/** What monitoring asks must be answered however busy the API is. */
const exemptPaths: ReadonlySet<string> = new Set(['/api/v1/health']);

export interface RateLimiting {
  readonly limiter: RateLimiter;
  readonly report: { rateLimited(layer: RateLimitLayer): void };
}

/** Lets a request in before it is known who asks, or refuses it with what to do about it. Null where there is no limit. */
export function admitRequest({ limiter, report }: RateLimiting, exchange: Exchange): Promise<void> | null {
  const admissions = exemptPaths.has(exchange.path) ? null : limiter.admitAddress(exchange.ip);
  return admissions && obey(admissions, report, exchange);
}

async function obey(admissions: Promise<readonly Admission[]>, report: RateLimiting['report'], exchange: Exchange): Promise<void> {
  for (const admission of await admissions) {
    // What all clients together leave is nobody's business until it is nothing.
    if (admission.layer !== 'global' || !admission.isTaken) {
      describe(admission, exchange);
    }
    refuseUnless(admission, report);
  }
}

/** Lets a token in. The master key has no limit. Null where there is none. */
export function admitPrincipal({ limiter, report }: RateLimiting, principal: Principal, exchange: Exchange): Promise<void> | null {
  const tokenId = tokenIdOf(principal);
  const admission = tokenId === null ? null : limiter.admitToken(tokenId);
  return (
    admission &&
    admission.then((known) => {
      describe(known, exchange);
      refuseUnless(known, report);
    })
  );
}

function tokenIdOf(principal: Principal): string | null {
  switch (principal.kind) {
    case 'application':
      return principal.applicationSecretId;
    case 'service':
      return principal.serviceTokenId;
    case 'anonymous':
    case 'master':
      return null;
  }
}

function refuseUnless(admission: Admission, report: RateLimiting['report']): void {
  if (!admission.isTaken) {
    report.rateLimited(admission.layer);
    throw new ProblemError('RateLimited', { code: admission.layer, headers: { 'Retry-After': String(seconds(admission.nextInMs)) } });
  }
}

/** In the fields of draft-ietf-httpapi-ratelimit-headers, from its version 08 on: lists, to which each layer adds its item. */
function describe({ layer, limit, remaining, fullInMs }: Admission, exchange: Exchange): void {
  addItem(exchange, 'RateLimit-Policy', `"${layer}";q=${limit.burst};w=${seconds(limit.burst * limit.periodMs)}`);
  addItem(exchange, 'RateLimit', `"${layer}";r=${remaining};t=${Math.ceil(fullInMs / 1000)}`);
}

function addItem(exchange: Exchange, name: string, item: string): void {
  const before = exchange.headerOf(name);
  exchange.setHeader(name, before === undefined ? item : `${before}, ${item}`);
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
