import type { IncomingMessage } from 'node:http';
import type { Principal } from './authenticate.ts';

/** Who may call a route: everybody, tokens of applications too, or the master key only. */
export type Access = 'public' | 'application' | 'organization';

export interface RouteRequest {
  readonly principal: Principal;
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters; a repeated one is a list. */
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** The JSON body of routes that take one; undefined otherwise. */
  readonly body: unknown;
  /** Where the client thinks it is, without a final slash. */
  readonly origin: string;
  /** The path and query as they were sent. */
  readonly pathWithQuery: string;
  readonly ip: string | null;
  readonly message: IncomingMessage;
}

export interface Reply {
  readonly status: number;
  /** Left out: an answer without a body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation of the API. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Below `/api/v1`, with `:name` for parameters. */
  readonly path: string;
  readonly access: Access;
  /** Largest JSON body; left out for routes that take none. */
  readonly bodyBytesMax?: number;
  readonly handle: (request: RouteRequest) => Promise<Reply>;
}
