import type { DatabasePool } from '@postrider/shared/database/pool';
import { normalizeUuid } from '@postrider/shared/domain/ids';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import type { ApiContext } from '../context.ts';
import { authorizeApplication, authorizeOperation } from './authenticate.ts';
import type { Principal } from './principal.ts';
import { readJsonBody } from './body.ts';
import { parseBody, parseParameters } from './parse.ts';
import type { OperationRequest, RequestContext, Route } from './route.ts';
import { applicationQuery as applicationParameter } from './schemas.ts';

/** The parts of a request before any schema has seen them. */
export interface RawRequest extends Omit<RequestContext, 'principal' | 'db'> {
  readonly params: Readonly<Record<string, string>>;
  /** A repeated parameter is a list. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Reads a request for a route, in the order that the contract promises: may the caller do that at all, may it do it to this application,
 * and only then whether what it sent is valid.
 */
export async function readRequest(
  context: Pick<ApiContext, 'db'>,
  route: Route,
  principal: Principal,
  raw: RawRequest,
): Promise<OperationRequest<unknown, unknown, unknown>> {
  authorizeOperation(principal, route);
  const { schemas } = route;
  const body = schemas.body
    ? await readJsonBody(raw.message, route.bodyBytesMax ?? requestBodyBytesMax, route.bodyMayBeLeftOut)
    : undefined;
  const applicationId = route.application === undefined ? null : applicationIdOf(route.application, raw, body);
  if (applicationId !== null && !(route.checksApplicationItself && principal.kind === 'master')) {
    await authorizeApplication(context.db, principal, applicationId);
  }
  return {
    ...raw,
    principal,
    db: databaseFor(context.db),
    params: schemas.params ? parseParameters(schemas.params, raw.params) : undefined,
    query: schemas.query ? parseParameters(schemas.query, raw.query) : undefined,
    body: schemas.body ? parseBody(schemas.body, body) : undefined,
  };
}

/** Null for a body without a readable `application_id`, which is refused for that. */
function applicationIdOf(place: 'params' | 'query' | 'body', raw: RawRequest, body: unknown): string | null {
  if (place !== 'body') {
    return parseParameters(applicationParameter, raw[place]).application_id;
  }
  return typeof body === 'object' && body !== null && 'application_id' in body && typeof body.application_id === 'string'
    ? normalizeUuid(body.application_id)
    : null;
}

function databaseFor(db: DatabasePool): DatabasePool {
  return db;
}
