import * as fc from 'fast-check';
import type { KnownValues } from './known-values.ts';
import { write } from './mutations.ts';
import type { Operation } from './operations.ts';
import { recordOf, type SchemaValues } from './schema-values.ts';
import { type Draft, editText, encode, twist, type Twist, twists, type WireEdit } from './twists.ts';
import type { WireRequest } from './wire.ts';

export type Who = 'master' | 'application' | 'editor' | 'viewer' | 'nobody';

/** A request as it is generated: valid, and what is wrong with it all the same. */
export interface FuzzRequest {
  readonly draft: Draft;
  readonly who: Who;
  readonly twists: readonly Twist[];
}

/** A request as it is sent. */
export interface BuiltRequest {
  readonly method: string;
  /** Path and query, as an application sees them. */
  readonly target: string;
  readonly wire: WireRequest;
  /** Whether something below the application may refuse it, or close the connection: it is hardly HTTP then. */
  readonly isBroken: boolean;
  /** Whether the client says no more after its bytes, though they promise more. */
  readonly isEnded: boolean;
}

const basePath = '/api/v1';

/** Edits of the bytes that the application does not notice, so that its answer is that of any other request. */
const harmlessEdits: ReadonlySet<WireEdit> = new Set(['http_1_0', 'absolute']);
/** Edits after which the server waits for bytes that do not come. */
const endingEdits: ReadonlySet<WireEdit> = new Set(['cut', 'long_length', 'bad_chunk', 'both_lengths']);

/** Requests for all operations of a document. A third of them are as they should be. */
export function requestsFor(operations: readonly Operation[], values: SchemaValues): fc.Arbitrary<FuzzRequest> {
  return fc.record({
    draft: fc.oneof(
      ...operations.map((operation) => ({
        // Bodies have the most to get wrong.
        weight: operation.body === undefined ? 1 : 3,
        arbitrary: drafts(operation, values),
      })),
    ),
    who: fc.oneof(
      { weight: 5, arbitrary: fc.constant<Who>('master') },
      { weight: 3, arbitrary: fc.constant<Who>('application') },
      { weight: 3, arbitrary: fc.constant<Who>('editor') },
      { weight: 1, arbitrary: fc.constantFrom<Who>('viewer', 'nobody') },
    ),
    twists: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.array(twists, { minLength: 1, maxLength: 3 }) }),
  });
}

function drafts(operation: Operation, values: SchemaValues): fc.Arbitrary<Draft> {
  const ofPlace = (place: 'path' | 'query'): fc.Arbitrary<[string, unknown][]> => {
    const own = operation.parameters.filter((parameter) => parameter.place === place);
    const members = Object.fromEntries(own.map(({ name, schema }) => [name, values.of(schema, name)]));
    const required = new Set(own.filter(({ isRequired }) => isRequired).map(({ name }) => name));
    return recordOf(members, (name) => required.has(name)).map((record) => Object.entries(record));
  };
  const body = operation.body === undefined ? fc.constant(undefined) : bodies(operation, values);
  return fc.record({ path: ofPlace('path'), query: ofPlace('query'), body }).map((parts) => ({
    method: operation.method,
    path: basePath + parts.path.reduce((path, [name, value]) => path.replace(`{${name}}`, () => encoded(value) || '-'), operation.path),
    query: parts.query.flatMap(([name, value]) => [value].flat().map((one: unknown): [string, string] => [name, String(one)])),
    headers: parts.body === undefined ? [] : [['content-type', operation.bodyType]],
    body: parts.body,
  }));
}

/** A stream is a list of its lines until it is written. */
function bodies({ body, bodyType }: Operation, values: SchemaValues): fc.Arbitrary<unknown> {
  const one = values.of(body, '');
  return bodyType === 'application/x-ndjson' ? fc.array(one, { maxLength: 5 }) : one;
}

/** As its draft says that it is: a list is a stream of lines where it is sent as one. */
function textOf({ body, headers }: Draft): string {
  const isStream = headers.some(([name, value]) => name === 'content-type' && value === 'application/x-ndjson');
  return isStream && Array.isArray(body) ? body.map((line: unknown) => write(line)).join('\n') : write(body);
}

export interface BuildOptions {
  readonly host: string;
  readonly tokens: Readonly<Record<Who, string | null>>;
  /** Where ids that exist come from. */
  readonly known: KnownValues;
}

/** Makes the bytes of a request, twist by twist. */
export function build(request: FuzzRequest, options: BuildOptions): BuiltRequest {
  const draft = request.twists.reduce(twist, request.draft);
  const { method } = draft;
  const path = options.known.fill(draft.path, { write: encoded, sparesLast: method === 'DELETE' });
  const target = path + options.known.fill(searchOf(draft, request.twists), { write: encoded });
  let body: Buffer = Buffer.from(options.known.fill(draft.body === undefined ? '' : textOf(draft), { write: insideJson }));
  const headers = new Map([...authorizationOf(options.tokens[request.who]), ...draft.headers]);
  for (const one of request.twists) {
    if (one.on === 'text' && request.draft.body !== undefined) {
      body = editText(body.toString(), one.edit, one.place);
    }
  }
  for (const one of request.twists) {
    if (
      one.on === 'encoding' &&
      request.draft.body !== undefined &&
      body.length > 0 &&
      !headers.has('content-encoding') &&
      !headers.has('transfer-encoding')
    ) {
      const travelling = encode(body, one.edit);
      body = travelling.bytes;
      travelling.headers.forEach(([name, value]) => headers.set(name, value));
    }
  }
  if (body.length > 0 && !headers.has('transfer-encoding')) {
    headers.set('content-length', String(body.length));
  }
  if (!headers.has('host')) {
    headers.set('host', options.host);
  }
  const edits = request.twists.flatMap((one) => (one.on === 'wire' ? [one] : []));
  const plain: WireRequest = { method, target, version: 'HTTP/1.1', headers: [['connection', 'close'], ...headers], body };
  return {
    method,
    target,
    wire: edits.reduce((wire, { edit, place }) => editWire(wire, edit, { place, host: options.host }), plain),
    isBroken: edits.some(({ edit }) => !harmlessEdits.has(edit)),
    isEnded: edits.some(({ edit }) => endingEdits.has(edit)),
  };
}

function searchOf({ query }: Draft, allTwists: readonly Twist[]): string {
  const pairs = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const raw = allTwists.flatMap((one) => (one.on === 'raw_query' ? [one.text] : []));
  const search = [...pairs, ...raw].join('&');
  return search === '' ? '' : `?${search}`;
}

/** As a part of a text in JSON. */
function insideJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

function encoded(value: unknown): string {
  return encodeURIComponent(String(value).toWellFormed());
}

function authorizationOf(token: string | null): [string, string][] {
  return token === null ? [] : [['authorization', `Bearer ${token}`]];
}

function editWire(wire: WireRequest, edit: WireEdit, { place, host }: { readonly place: number; readonly host: string }): WireRequest {
  const others = (name: string): WireRequest['headers'] => wire.headers.filter(([other]) => other !== name);
  switch (edit) {
    case 'cut':
      return { ...wire, cutAt: place };
    case 'long_length':
      return { ...wire, headers: [...others('content-length'), ['content-length', String(wire.body.length + 1 + place)]] };
    case 'short_length':
      return { ...wire, headers: [...others('content-length'), ['content-length', String(Math.max(0, wire.body.length - 1))]] };
    case 'no_host':
      return { ...wire, headers: others('host') };
    case 'http_1_0':
      return { ...wire, version: 'HTTP/1.0' };
    case 'http_2':
      return { ...wire, version: 'HTTP/2.0' };
    case 'header_overflow':
      return { ...wire, headers: [...wire.headers, ['x-large', 'x'.repeat(17_000)]] };
    case 'folded':
      return { ...wire, headers: [...wire.headers, ['x-folded', 'one\r\n two']] };
    case 'both_lengths':
      return { ...wire, headers: [...wire.headers, ['transfer-encoding', 'chunked'], ['content-length', '7']] };
    case 'bad_chunk':
      return {
        ...wire,
        headers: [...others('content-length'), ['transfer-encoding', 'chunked']],
        body: Buffer.from('zz\r\n{}\r\n0\r\n\r\n'),
      };
    case 'raw_target':
      return { ...wire, target: `${wire.target}\u00e9\u00ff` };
    case 'absolute':
      return { ...wire, target: `http://${host}${wire.target}` };
    case 'expect':
      return { ...wire, headers: [...wire.headers, ['expect', 'miracles']] };
  }
}
