import type { ServerResponse } from 'node:http';
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

/** Lets a request in before it is known who asks, or refuses it with what to do about it. */
export async function admitRequest(
  { limiter, report }: RateLimiting,
  { path, ip, response }: Pick<Exchange, 'path' | 'ip' | 'response'>,
): Promise<void> {
  if (exemptPaths.has(path)) {
    return;
  }
  for (const admission of await limiter.admitAddress(ip)) {
    // What all clients together leave is nobody's business until it is nothing.
    if (admission.layer !== 'global' || !admission.isTaken) {
      describe(admission, response);
    }
    refuseUnless(admission, report);
  }
}

/** Lets a token in. The master key has no limit. */
export async function admitPrincipal({ limiter, report }: RateLimiting, principal: Principal, response: ServerResponse): Promise<void> {
  const tokenId = tokenIdOf(principal);
  const admission = tokenId === null ? null : await limiter.admitToken(tokenId);
  if (admission) {
    describe(admission, response);
    refuseUnless(admission, report);
  }
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
function describe({ layer, limit, remaining, fullInMs }: Admission, response: ServerResponse): void {
  addItem(response, 'RateLimit-Policy', `"${layer}";q=${limit.burst};w=${seconds(limit.burst * limit.periodMs)}`);
  addItem(response, 'RateLimit', `"${layer}";r=${remaining};t=${Math.ceil(fullInMs / 1000)}`);
}

function addItem(response: ServerResponse, name: string, item: string): void {
  const before = response.getHeader(name);
  response.setHeader(name, before === undefined ? item : `${String(before)}, ${item}`);
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}
