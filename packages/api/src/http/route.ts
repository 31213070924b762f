import type { IncomingMessage } from 'node:http';
import type { DatabasePool } from '@postrider/shared/database/pool';
import type { z } from 'zod';
import type { ProblemError, ProblemId } from '../problems.ts';
import type { Audit } from '../services/audit.ts';
import type { Principal } from './principal.ts';

/**
 * Who may call a route: everybody; the secrets of applications, service tokens and the master key; the latter two; or the master key only.
 */
export type Access = 'public' | 'application' | 'organization' | 'master';

/** Where an id stands that the caller must be allowed to use. */
export type IdPlace = 'params' | 'query' | 'body';

/** What every handler gets, whatever it declares. */
export interface RequestContext {
  readonly principal: Principal;
  /** The database as far as this request may see it. */
  readonly db: DatabasePool;
  /** Writes the audit log: whatever changes something calls it in the transaction of the change. */
  readonly audit: Audit;
  /** Where the client thinks it is, without a final slash. */
  readonly origin: string;
  /** The path and query as they were sent. */
  readonly pathWithQuery: string;
  readonly ip: string | null;
  /** As `X-Request-Id` has it. */
  readonly requestId: string;
  readonly message: IncomingMessage;
  /** Who is asking, by now: for what goes on longer than a token may hold. Fails as the request would if it came now. */
  identifyAgain(): Promise<Principal>;
  /** What a failure is to the client, for answers that have several outcomes in them. Reports those that are our fault. */
  describeProblem(error: unknown): DescribedProblem;
}

export interface DescribedProblem {
  readonly problem: ProblemError;
  /** As it is sent. */
  readonly document: Record<string, unknown>;
}

/** A request whose parts were read by the schemas that the operation declares. */
export interface OperationRequest<Params, Query, Body> extends RequestContext {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

export interface Reply {
  readonly status: number;
  /** Sent as JSON. Without it, `content` and `stream`: an answer without a body. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly content?: { readonly type: string; readonly bytes: Uint8Array };
  /** Sent as it comes, no faster than the client reads. */
  readonly stream?: { readonly type: string; readonly parts: AsyncIterable<string> };
  readonly headers?: Readonly<Record<string, string>>;
}

/** A status, and the shape of its body if it has one. */
export interface Answer {
  readonly status: number;
  readonly schema?: z.ZodType;
  /** Where it is not JSON. */
  readonly contentType?: string;
}

/** A body that a handler reads by itself, for the documentation. */
export interface DocumentedBody {
  readonly contentType: string;
  readonly schema: z.ZodType;
}

/** What an operation is, as far as documentation, authorization and mounting have to know. */
interface OperationFacts {
  /** By resource, such as `subscriptions.create`: the id in the OpenAPI document, and what service tokens are restricted to. */
  readonly name: string;
  /** One line for the documentation. */
  readonly summary: string;
  /** What a caller should know beyond that, in Markdown. */
  readonly description?: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Below `/api/v1`, with `:name` for parameters. */
  readonly path: string;
  readonly access: Access;
  /** Where `application_id` stands that the caller must be allowed to use: checked before anything else is validated. */
  readonly application?: IdPlace;
  /** The same for `organization_id`. */
  readonly organization?: IdPlace;
  /** True where the handler shows a service token that is restricted to some applications nothing of others; without, such a token may not
   * call what acts on an organization. */
  readonly keepsToApplications?: boolean;
  /** True where tokens are made, shown or changed: service tokens with a restriction may not call it, lest they widen their rights. */
  readonly handsOut?: boolean;
  /** True where the handler finds out whether the application exists, so that a token for all of them need not ask before. */
  readonly checksApplicationItself?: boolean;
  /** True for what changes nothing though it is no GET: viewers may call it. */
  readonly readOnly?: boolean;
  /** True where the cost of each request counts: its path, which has no parameters, is looked up before the router is asked. */
  readonly isHot?: boolean;
  /** Largest body in bytes where it is not the usual one. */
  readonly bodyBytesMax?: number;
  /** Where the handler reads the body of the message by itself: what it may be. */
  readonly bodies?: readonly DocumentedBody[];
  /** True where the request may leave out its body, which stands for an empty object. */
  readonly bodyMayBeLeftOut?: boolean;
  /** The success. */
  readonly answer: Answer;
  /** Answers beside it that are no problem documents; of one status, their content types must differ. */
  readonly otherAnswers?: readonly Answer[];
  /** Problems of its own, beside those that authentication, reading and validation can end with. */
  readonly problems?: readonly ProblemId[];
}

/** An operation with the schemas of what comes in. `undefined` stands for a part that it does not take. */
export interface Operation<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends OperationFacts {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Reads bodies of the usual kind as the schema would, but faster; null for all others. */
  readonly readPlainBody?: (value: unknown) => z.output<B> | null;
  readonly handle: (request: OperationRequest<z.output<P>, z.output<Q>, z.output<B>>) => Promise<Reply>;
}

/** One operation of the API, as it is mounted and documented. */
export interface Route extends OperationFacts {
  readonly schemas: { readonly params?: z.ZodType; readonly query?: z.ZodType; readonly body?: z.ZodType };
  readonly readPlainBody?: (value: unknown) => unknown;
  /** A method, not a property: what it may be called with depends on the schemas, which `readRequest` sees to. */
  handle(request: OperationRequest<unknown, unknown, unknown>): Promise<Reply>;
}

/** Makes a route of an operation, whose handler gets exactly what its schemas read. */
export function defineRoute<
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
>(operation: Operation<P, Q, B>): Route {
  const { params, query, body, ...facts } = operation;
  return {
    ...facts,
    schemas: { ...(params && { params }), ...(query && { query }), ...(body && { body }) },
  };
}
