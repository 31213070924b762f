import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, validateHeaderValue } from 'node:http';
import { clientAddress } from '@postrider/shared/domain/client-address';
import type { ParsedCidr } from '@postrider/shared/domain/ip-address';
import { problemDocument, ProblemError } from '../problems.ts';
import type { ApiReport } from '../report.ts';
import { IngestionOverloadedError } from '../services/ingest-pressure.ts';
import { originOf } from './origin.ts';
import { problemOf } from './problem-of.ts';
import type { DescribedProblem } from './route.ts';
import { securityHeaders } from './security-headers.ts';

export interface ExchangeOptions {
  readonly report: Pick<ApiReport, 'failed' | 'refused'>;
  readonly reverseProxyIps: readonly ParsedCidr[];
}

const securityHeaderList = Object.entries(securityHeaders).flat();

/** A request and the answer to it. What few ask for is found out when they do. */
export class Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** As `X-Request-Id` has it. */
  readonly requestId: string;
  /** The path and query as they were sent, but for their slashes. */
  readonly pathWithQuery: string;
  readonly #options: ExchangeOptions;
  /** Of the answer: names and values in turns, from which Node writes them with half of the work that setting each of them takes. */
  readonly #headers: string[];
  #ip: string | null | undefined;

  constructor(options: ExchangeOptions, message: IncomingMessage, response: ServerResponse) {
    const given = message.headers['x-request-id'];
    this.#options = options;
    this.message = message;
    this.response = response;
    this.requestId = typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
    this.pathWithQuery = message.url ?? '';
    this.#headers = ['X-Request-Id', this.requestId, ...securityHeaderList];
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
    this.#ip = this.#ip === undefined ? this.#findIp() : this.#ip;
    return this.#ip;
  }

  #findIp(): string | null {
    const { headers, socket } = this.message;
    const { remoteAddress: peer, remoteFamily } = socket;
    const { reverseProxyIps } = this.#options;
    if (reverseProxyIps.length === 0 && remoteFamily === 'IPv4') {
      // As the operating system writes it: there is nothing to read, which would take longer than all the rest of this.
      return peer ?? null;
    }
    const { 'x-forwarded-for': forwardedFor, forwarded } = headers;
    return clientAddress({ peer, forwardedFor: forwardedFor?.toString(), forwarded }, reverseProxyIps);
  }

  /** A header of the answer. Its name, letter by letter. */
  headerOf(name: string): string | undefined {
    const at = this.#indexOf(name);
    return at === -1 ? undefined : this.#headers[at + 1];
  }

  /** Sets a header of the answer, in place of one of the same name, letter by letter. Fails for a value that no header can have. */
  setHeader(name: string, value: string): void {
    validateHeaderValue(name, value);
    this.#set(name, value);
  }

  #set(name: string, value: string): void {
    const at = this.#indexOf(name);
    if (at === -1) {
      this.#headers.push(name, value);
    } else {
      this.#headers[at + 1] = value;
    }
  }

  #indexOf(name: string): number {
    for (let at = 0; at < this.#headers.length; at += 2) {
      if (this.#headers[at] === name) {
        return at;
      }
    }
    return -1;
  }

  /** Begins an answer of unknown length. */
  begin(status: number): ServerResponse {
    return this.response.writeHead(status, this.#headers);
  }

  /** Answers with a whole body of this type. For HEAD Node leaves it out. */
  end(status: number, type: string, body: string | Uint8Array): void {
    this.#set('Content-Type', type);
    // For HEAD, too, where Node would not know it.
    this.#set('Content-Length', String(Buffer.byteLength(body)));
    // A text leaves together with the headers, in one write.
    this.begin(status).end(body);
  }

  /** Answers without a body. */
  endEmpty(status: number): void {
    if (status !== 204) {
      this.#set('Content-Length', '0');
    }
    this.begin(status).end();
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
      this.setHeader(name, value);
    }
    this.end(problem.status, 'application/problem+json', JSON.stringify(document));
  }
}
