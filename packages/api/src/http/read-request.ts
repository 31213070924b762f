import type { DatabasePool } from '@postrider/shared/database/pool';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { createAudit } from '../services/audit.ts';
import { authorizeApplication, type AuthorizedApplication, authorizeOperation, authorizeOrganization } from './authorize.ts';
import { actorOf, type Principal } from './principal.ts';
import { readJsonBody } from './body.ts';
import { parseBody, parseParameters } from './parse.ts';
import type { IdPlace, OperationRequest, RequestContext, Route } from './route.ts';
import { uuid } from './schemas.ts';

/** The parts of a request before any schema has seen them. */
export interface RawRequest extends Omit<RequestContext, 'principal' | 'db' | 'audit'> {
  readonly params: Readonly<Record<string, string>>;
  /** A repeated parameter is a list. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Reads a request for a route, in the order that the contract promises: may the caller do that at all, may it do it to this organization or application,
 * and only then whether what it sent is valid.
 */
export async function readRequest(
  context: Pick<ApiContext, 'db' | 'tokens'>,
  route: Route,
  principal: Principal,
  raw: RawRequest,
): Promise<OperationRequest<unknown, unknown, unknown>> {
  authorizeOperation(principal, route);
  const { schemas } = route;
  const body = schemas.body
    ? await readJsonBody(raw.message, route.bodyBytesMax ?? requestBodyBytesMax, route.bodyMayBeLeftOut)
    : undefined;
  const organizationId = route.organization === undefined ? null : idAt(organizationParameter, route.organization, raw, body);
  if (organizationId !== null) {
    authorizeOrganization(principal, organizationId);
  }
  const applicationId = route.application === undefined ? null : idAt(applicationParameter, route.application, raw, body);
  const application =
    applicationId === null || (route.checksApplicationItself && principal.kind === 'master')
      ? null
      : await authorizeApplication(context.tokens, principal, applicationId);
  return {
    ...raw,
    principal,
    // When it is asked for: ingest, which is asked most, writes for all tenants at once.
    get db() {
      return databaseFor(context.db, principal, application);
    },
    audit: createAudit({ actor: actorOf(principal), ip: raw.ip, requestId: raw.requestId, action: route.name }),
    params: schemas.params ? parseParameters(schemas.params, raw.params) : undefined,
    query: schemas.query ? parseParameters(schemas.query, raw.query) : undefined,
    body: schemas.body ? parseBody(schemas.body, body) : undefined,
  };
}

const applicationParameter = z.object({ application_id: uuid }).transform((read) => read.application_id);
const organizationParameter = z.object({ organization_id: uuid }).transform((read) => read.organization_id);

/** Null for a body without a readable id, which is refused for that when it is parsed. */
function idAt(parameter: z.ZodType<string>, place: IdPlace, raw: RawRequest, body: unknown): string | null {
  if (place !== 'body') {
    return parseParameters(parameter, raw[place]);
  }
  return idIn(parameter, body);
}

/** The application that an event says it is of; null when it cannot be read. */
export function applicationIdIn(body: unknown): string | null {
  return idIn(applicationParameter, body);
}

function idIn(parameter: z.ZodType<string>, body: unknown): string | null {
  const read = parameter.safeParse(body);
  return read.success ? read.data : null;
}

/** The database as far as a request may see it: the application that it names, else all that its token may use. */
function databaseFor(db: AllTenantsDatabase, principal: Principal, application: AuthorizedApplication | null): DatabasePool {
  if (application) {
    return db.forTenant({ organizationId: application.organizationId, applicationIds: [application.applicationId] });
  }
  switch (principal.kind) {
    case 'anonymous':
      return db.forTenant({ organizationId: null, applicationIds: [] });
    case 'application':
      return db.forTenant({ organizationId: principal.organizationId, applicationIds: [principal.applicationId] });
    case 'service':
      return db.forTenant({ organizationId: principal.organizationId, applicationIds: principal.applicationIds ?? 'all' });
    case 'master':
      // The master key is the installation's and no tenant's: it sees them all.
      return db;
  }
}
