import { readProblem, RefusedError, UnreachableError } from '../failures.ts';
import { describeTransportFailure } from './transport-failure.ts';

/** Members of a query; those that are undefined are left out, lists are repeated. */
export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** A row of a list, as it came. */
export type Row = Readonly<Record<string, unknown>>;

export interface Listed {
  readonly rows: readonly Row[];
  /** Whether the list goes on beyond `limit`. */
  readonly hasMore: boolean;
  /** What stands around the rows on the first page, where they are a member of something. */
  readonly around: Row;
}

export interface ApiOptions {
  /** With its path, without a final slash. */
  readonly baseUrl: string;
  readonly token: string;
  /** For one request, its answer's body included. */
  readonly timeoutMs: number;
  /** Ends what is under way. */
  readonly stopped: AbortSignal;
}

/** The REST API over HTTP. */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async get(path: string, query: Query = {}): Promise<unknown> {
    const { body } = await this.#call('GET', path, query);
    return body;
  }

  async post(path: string, body: unknown): Promise<unknown> {
    const answer = await this.#call('POST', path, {}, body);
    return answer.body;
  }

  async put(path: string, body: unknown): Promise<unknown> {
    const answer = await this.#call('PUT', path, {}, body);
    return answer.body;
  }

  async delete(path: string, query: Query = {}): Promise<void> {
    await this.#call('DELETE', path, query);
  }

  /** Reads a list page by page, as its Link headers lead, up to `limit` rows. Where `member` is given the rows are that member. */
  async list(path: string, query: Query, limit: number, member: string | null = null): Promise<Listed> {
    const rows: Row[] = [];
    let around: Row = {};
    let search: string | null = searchOf(query);
    while (search !== null && rows.length < limit) {
      const page: Answer = await this.#call('GET', `${path}${search}`);
      around = rows.length === 0 ? membersOf(page.body) : around;
      rows.push(...rowsOf(page, member));
      const next = nextSearch(page.headers);
      // A server that leads back to the same page would be followed for ever.
      search = next === search ? null : next;
    }
    return { rows: rows.slice(0, limit), hasMore: rows.length > limit || search !== null, around };
  }

  async #call(method: string, path: string, query: Query = {}, body?: unknown): Promise<Answer> {
    const { baseUrl, token, timeoutMs, stopped } = this.#options;
    const url = `${baseUrl}${path}${searchOf(query)}`;
    try {
      const response = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // A redirect would turn a POST into a GET, or lead the token to another server.
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), stopped]),
      });
      return readAnswer(response, await response.text(), { method, url });
    } catch (error) {
      if (error instanceof RefusedError || error instanceof UnreachableError) {
        throw error;
      }
      stopped.throwIfAborted();
      throw new UnreachableError(describeTransportFailure(error, { method, url, timeoutMs }), { cause: error });
    }
  }
}

interface Answer {
  readonly url: string;
  readonly headers: Headers;
  /** Undefined when there is none. */
  readonly body: unknown;
}

function readAnswer(response: Response, text: string, request: { readonly method: string; readonly url: string }): Answer {
  const { status, headers } = response;
  const body = text === '' ? undefined : parseJson(text);
  if (status >= 200 && status < 300 && (text === '' || body !== undefined)) {
    return { url: request.url, headers, body };
  }
  const problem = status >= 400 ? readProblem(body) : null;
  if (problem) {
    const retryAfter = headers.get('retry-after') ?? '';
    throw new RefusedError({
      status,
      problem,
      requestId: headers.get('x-request-id'),
      retryAfterSeconds: /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
    });
  }
  const location = status >= 300 && status < 400 ? headers.get('location') : null;
  const leads = location ? ` It redirects to ${location}: give that server's URL.` : '';
  throw new UnreachableError(`${request.method} ${request.url} answered ${status}, but not as Postrider's API does.${leads}`);
}

function rowsOf({ url, body }: Answer, member: string | null): Row[] {
  const list = member === null ? body : membersOf(body)[member];
  if (!Array.isArray(list)) {
    throw new UnreachableError(`GET ${url} answered something else than a list.`);
  }
  return list.map((row: unknown) => membersOf(row));
}

/** The members of an object; none of anything else. */
export function membersOf(value: unknown): Row {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

/** The next page's query: path and server stay ours, since a proxy may know them by other names than the API does. */
function nextSearch(headers: Headers): string | null {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '') ?? [];
  return target === undefined ? null : (URL.parse(target, 'http://localhost')?.search ?? null);
}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const item of typeof value === 'object' ? value : [value]) {
      if (item !== undefined) {
        search.append(name, String(item));
      }
    }
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
