import type { IncomingMessage } from 'node:http';
import type { DatabasePool } from '@postrider/shared/database/pool';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { type Audit, createAudit } from '../services/audit.ts';
import { authorizeApplication, type AuthorizedApplication, authorizeOperation, authorizeOrganization } from './authorize.ts';
import { readJsonBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { parseBody, parseParameters } from './parse.ts';
import { actorOf, type Principal } from './principal.ts';
import type { DescribedProblem, IdPlace, OperationRequest, Route } from './route.ts';
import { uuid } from './schemas.ts';

/** A request whose route and sender are known, before any schema has seen its parts. */
export interface RawRequest {
  readonly route: Route;
  readonly principal: Principal;
  readonly exchange: Exchange;
  readonly params: Readonly<Record<string, string>>;
  /** A repeated parameter is a list. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Who is asking, by now. */
  readonly identify: () => Principal | Promise<Principal>;
}

/**
 * Reads a request for its route, in the order that the contract promises: may the caller do that at all, may it do it to this organization or
 * application, and only then whether what it sent is valid.
 */
export async function readRequest(
  context: Pick<ApiContext, 'db' | 'tokens'>,
  raw: RawRequest,
): Promise<OperationRequest<unknown, unknown, unknown>> {
  const { route, principal } = raw;
  const { schemas } = route;
  authorizeOperation(principal, route);
  const body = schemas.body
    ? parsedBy(
        schemas.body,
        route,
        await readJsonBody(raw.exchange.message, route.bodyBytesMax ?? requestBodyBytesMax, route.bodyMayBeLeftOut),
      )
    : null;
  if (route.organization !== undefined) {
    const organizationId = idAt('organization_id', route.organization, raw, body);
    if (organizationId !== null) {
      authorizeOrganization(principal, organizationId);
    }
  }
  let application: AuthorizedApplication | null = null;
  if (route.application !== undefined && !(route.checksApplicationItself && principal.kind === 'master')) {
    const applicationId = idAt('application_id', route.application, raw, body);
    const authorized = applicationId === null ? null : authorizeApplication(context.tokens, principal, applicationId);
    application = authorized instanceof Promise ? await authorized : authorized;
  }
  const params = schemas.params ? parseParameters(schemas.params, raw.params) : undefined;
  const query = schemas.query ? parseParameters(schemas.query, raw.query) : undefined;
  if (body?.failure !== undefined) {
    throw body.failure;
  }
  return new RequestForRoute(context.db, raw, application, { params, query, body: body?.value });
}

/** A body as it came, and what its schema makes of it or says against it. */
interface ReadBody {
  readonly sent: unknown;
  readonly value?: unknown;
  readonly failure?: unknown;
}

function parsedBy(schema: z.ZodType, { readPlainBody }: Route, sent: unknown): ReadBody {
  const plain = readPlainBody?.(sent) ?? null;
  if (plain !== null) {
    return { sent, value: plain };
  }
  try {
    return { sent, value: parseBody(schema, sent) };
  } catch (failure) {
    return { sent, failure };
  }
}

const idParameters = {
  application_id: z.object({ application_id: uuid }).transform((read) => read.application_id),
  organization_id: z.object({ organization_id: uuid }).transform((read) => read.organization_id),
};

type IdName = keyof typeof idParameters;

/** Null for a body without a readable id, which is refused for that when it has been seen who asks. */
function idAt(name: IdName, place: IdPlace, raw: RawRequest, body: ReadBody | null): string | null {
  if (place !== 'body') {
    return parseParameters(idParameters[name], raw[place]);
  }
  // What its schema has read need not be read once more.
  return idOf(name, body?.value) ?? idIn(name, body?.sent);
}

function idOf(name: IdName, value: unknown): string | null {
  const id: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null;
  return typeof id === 'string' ? id : null;
}

/** The application that an event says it is of; null when it cannot be read. */
export function applicationIdIn(body: unknown): string | null {
  return idIn('application_id', body);
}

function idIn(name: IdName, body: unknown): string | null {
  const read = idParameters[name].safeParse(body);
  return read.success ? read.data : null;
}

/** What a handler gets. The parts that few handlers ask for are made when they do: ingest, which is asked most, needs none of them. */
class RequestForRoute implements OperationRequest<unknown, unknown, unknown> {
  readonly principal: Principal;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly #db: AllTenantsDatabase;
  readonly #raw: RawRequest;
  readonly #application: AuthorizedApplication | null;

  constructor(
    db: AllTenantsDatabase,
    raw: RawRequest,
    application: AuthorizedApplication | null,
    read: Pick<OperationRequest<unknown, unknown, unknown>, 'params' | 'query' | 'body'>,
  ) {
    this.principal = raw.principal;
    this.params = read.params;
    this.query = read.query;
    this.body = read.body;
    this.#db = db;
    this.#raw = raw;
    this.#application = application;
  }

  get db(): DatabasePool {
    return databaseFor(this.#db, this.principal, this.#application);
  }

  get audit(): Audit {
    return createAudit({ actor: actorOf(this.principal), ip: this.ip, requestId: this.requestId, action: this.#raw.route.name });
  }

  get origin(): string {
    return this.#raw.exchange.origin;
  }

  get pathWithQuery(): string {
    return this.#raw.exchange.pathWithQuery;
  }

  get ip(): string | null {
    return this.#raw.exchange.ip;
  }

  get requestId(): string {
    return this.#raw.exchange.requestId;
  }

  get message(): IncomingMessage {
    return this.#raw.exchange.message;
  }

  async identifyAgain(): Promise<Principal> {
    const { identify, route } = this.#raw;
    const current = await identify();
    authorizeOperation(current, route);
    return current;
  }

  describeProblem(error: unknown): DescribedProblem {
    return this.#raw.exchange.describeProblem(error);
  }
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
