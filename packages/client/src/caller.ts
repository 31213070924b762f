import { PostriderError } from './errors.ts';
import { operationTable } from './generated/operation-table.ts';
import type { WireRequest } from './http/request.ts';
import type { RetryPolicy } from './http/retry.ts';
import type { Send, SendOptions, Sent } from './http/send.ts';
import type { Operation } from './operation.ts';
import type { Answer, OperationId, Row } from './types.ts';

/** What may be said for one call only. */
export interface CallOptions {
  /** Ends the call, the waits between its tries included. Its reason is thrown as it is. */
  readonly signal?: AbortSignal;
  /** For one try, the answer's body included. */
  readonly timeoutMs?: number;
  /** What differs from the client's policy; `false` for one try only. */
  readonly retry?: Partial<RetryPolicy> | false;
}

/** A page of a list. */
export interface Page<Body> {
  readonly body: Body;
  /** Leads to the next page, as `pagination_cursor`; null on the last one. */
  readonly nextCursor: string | null;
}

/** Calls operations by their names. */
export interface Caller {
  call<Id extends OperationId>(id: Id, input: object, options?: CallOptions): Promise<Answer<Id>>;
  pages<Id extends OperationId>(id: Id, input: object, options?: CallOptions): AsyncGenerator<Page<Answer<Id>>, void, undefined>;
  rows<Id extends OperationId>(id: Id, input: object, options?: CallOptions): AsyncGenerator<Row<Id>, void, undefined>;
}

export function createCaller(send: Send, defaults: SendOptions): Caller {
  async function* pages<Id extends OperationId>(id: Id, input: object, options?: CallOptions) {
    let request: WireRequest | null = wireRequest(operationTable[id], input);
    while (request !== null) {
      const sent: Sent = await send(request, sendOptions(defaults, options));
      const next = nextSearch(sent.headers);
      yield { body: readAnswer(id, request, sent), nextCursor: new URLSearchParams(next ?? '').get('pagination_cursor') };
      // A server that leads back to the same page would be followed for ever.
      request = next === null || next === request.search ? null : { ...request, search: next };
    }
  }
  return {
    async call(id, input, options) {
      const request = wireRequest(operationTable[id], input);
      return readAnswer(id, request, await send(request, sendOptions(defaults, options)));
    },
    pages,
    async *rows<Id extends OperationId>(id: Id, input: object, options?: CallOptions) {
      for await (const { body } of pages(id, input, options)) {
        for (const row of rowsOf(body, operationTable[id].rows)) {
          if (isRow<Id>(row)) {
            yield row;
          }
        }
      }
    },
  };
}

/** What holds for one call. */
export function sendOptions(defaults: SendOptions, { signal, timeoutMs, retry }: CallOptions = {}): SendOptions {
  const changes = retry === false ? { attemptsMax: 1 } : retry;
  return {
    timeoutMs: timeoutMs ?? defaults.timeoutMs,
    retry: { ...defaults.retry, ...changes },
    signal: signal && defaults.signal ? AbortSignal.any([signal, defaults.signal]) : (signal ?? defaults.signal),
  };
}

/** Divides the input into path, query and body. */
function wireRequest(operation: Operation, input: object): WireRequest {
  const members = new Map<string, unknown>(Object.entries(input));
  const take = (name: string): unknown => {
    const value = members.get(name);
    members.delete(name);
    return value;
  };
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_braces, name: string) => {
    const value = take(name);
    // An empty or missing value would lead to another operation than the one that was called.
    if (typeof value !== 'string' || value === '' || value === '.' || value === '..') {
      throw new TypeError(`${operation.method} ${operation.path} needs ${name}.`);
    }
    return encodeURIComponent(value);
  });
  const search = searchOf(operation.query.map((name) => [name, take(name)]));
  const body = operation.body === 'whole' ? members.get('body') : Object.fromEntries(members);
  return {
    method: operation.method,
    path,
    search,
    operation: `${operation.method} ${operation.path}`,
    body: operation.body === 'none' ? null : JSON.stringify(body),
    statuses: operation.statuses,
    isRepeatable: operation.isRepeatable,
  };
}

function searchOf(query: readonly (readonly [name: string, value: unknown])[]): string {
  const search = new URLSearchParams();
  for (const [name, value] of query) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const item of items) {
      if (item !== undefined && item !== null) {
        search.append(name, typeof item === 'string' ? item : JSON.stringify(item));
      }
    }
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** The next page's query: path and server stay ours, since a proxy may know them by other names, and the token goes nowhere else. */
function nextSearch(headers: Headers): string | null {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '') ?? [];
  return target === undefined ? null : new URL(target, 'http://localhost').search;
}

function readAnswer<Id extends OperationId>(id: Id, request: WireRequest, { status, headers, body }: Sent): Answer<Id> {
  if (isAnswer(id, body)) {
    return body;
  }
  throw new PostriderError({
    operation: request.operation,
    status,
    id: null,
    title: null,
    detail: "This is not an answer of Postrider's API: check the URL and what stands between.",
    validation: null,
    code: null,
    requestId: headers.get('x-request-id'),
    retryAfterMs: null,
  });
}

/** Looks at the kind only: that the members are those of the document is the server's promise. */
function isAnswer<Id extends OperationId>(id: Id, body: unknown): body is Answer<Id> {
  switch (operationTable[id].answer) {
    case 'list':
      return Array.isArray(body);
    case 'object':
      return typeof body === 'object' && body !== null && !Array.isArray(body);
    case 'nothing':
      return true;
  }
}

function rowsOf(body: unknown, member: string | null): readonly unknown[] {
  const list: unknown = member === null ? body : new Map<string, unknown>(Object.entries(body ?? {})).get(member);
  return Array.isArray(list) ? list : [];
}

function isRow<Id extends OperationId>(_row: unknown): _row is Row<Id> {
  return true;
}
