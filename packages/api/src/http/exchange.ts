import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { clientAddress } from '@postrider/shared/domain/client-address';
import type { ParsedCidr } from '@postrider/shared/domain/ip-address';
import { problemDocument, ProblemError } from '../problems.ts';
import type { ApiReport } from '../report.ts';
import { IngestionOverloadedError } from '../services/ingest-pressure.ts';
import { originOf } from './origin.ts';
import { problemOf } from './problem-of.ts';
import type { DescribedProblem } from './route.ts';

export interface ExchangeOptions {
  readonly report: Pick<ApiReport, 'failed' | 'refused'>;
  readonly reverseProxyIps: readonly ParsedCidr[];
}

/** A request and the answer to it. What few ask for is found out when they do. */
export class Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** As `X-Request-Id` has it. */
  readonly requestId: string;
  /** The path and query as they were sent, but for their slashes. */
  readonly pathWithQuery: string;
  readonly #options: ExchangeOptions;
  #ip: string | null | undefined;

  constructor(options: ExchangeOptions, message: IncomingMessage, response: ServerResponse) {
    const given = message.headers['x-request-id'];
    this.#options = options;
    this.message = message;
    this.response = response;
    this.requestId = typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
    this.pathWithQuery = message.url ?? '';
  }

  get path(): string {
    const queryAt = this.pathWithQuery.indexOf('?');
    return queryAt === -1 ? this.pathWithQuery : this.pathWithQuery.slice(0, queryAt);
  }

  /** A repeated parameter is a list. */
  get query(): Record<string, string | readonly string[]> {
    const queryAt = this.pathWithQuery.indexOf('?');
    if (queryAt === -1) {
      return {};
    }
    const values = new Map<string, string | readonly string[]>();
    for (const [name, value] of new URLSearchParams(this.pathWithQuery.slice(queryAt))) {
      const before = values.get(name);
      values.set(name, before === undefined ? value : [before, value].flat());
    }
    return Object.fromEntries(values);
  }

  /** Where the client thinks it is, without a final slash. */
  get origin(): string {
    return originOf({ host: this.message.headers.host, socket: this.message.socket });
  }

  /** Where the client is, also behind proxies that are trusted. */
  get ip(): string | null {
    if (this.#ip === undefined) {
      const { 'x-forwarded-for': forwardedFor, forwarded } = this.message.headers;
      const hops = { peer: this.message.socket.remoteAddress, forwardedFor: forwardedFor?.toString(), forwarded };
      this.#ip = clientAddress(hops, this.#options.reverseProxyIps);
    }
    return this.#ip;
  }

  /** What a failure is to the client. Those of ours are reported. */
  describeProblem(error: unknown): DescribedProblem {
    const { report } = this.#options;
    const problem = problemOf(error);
    if (error instanceof IngestionOverloadedError) {
      report.refused(error.reason);
    } else if (problem.status >= 500 && !(error instanceof ProblemError)) {
      // What is a problem by intention is none that somebody has to look into.
      report.failed(error, { requestId: this.requestId, method: this.message.method ?? '', path: this.path });
    }
    return { problem, document: problemDocument(problem, { baseUrl: this.origin, instance: this.path }) };
  }

  /** Answers with the problem that a failure is; an answer that has begun is broken off. */
  answerProblem(error: unknown): void {
    const { response } = this;
    const { problem, document } = this.describeProblem(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.options.headers ?? {})) {
      response.setHeader(name, value);
    }
    response.statusCode = problem.status;
    response.setHeader('Content-Type', 'application/problem+json');
    response.end(JSON.stringify(document));
  }
}
