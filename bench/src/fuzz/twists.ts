import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { type Mutation, mutate, mutations, oddTexts } from './mutations.ts';

/** A request before its known values are filled in and before it has bytes. */
export interface Draft {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** A JSON value; undefined for none. */
  readonly body: unknown;
}

/** One thing that is wrong, or only unusual, with a request. */
export type Twist =
  | { readonly on: 'method'; readonly method: string }
  | { readonly on: 'path'; readonly edit: PathEdit; readonly place: number }
  | { readonly on: 'query'; readonly name: string | null; readonly value: string; readonly place: number }
  | { readonly on: 'raw_query'; readonly text: string }
  | { readonly on: 'header'; readonly name: string; readonly value: string }
  | { readonly on: 'json'; readonly mutation: Mutation }
  | { readonly on: 'text'; readonly edit: TextEdit; readonly place: number }
  | { readonly on: 'encoding'; readonly edit: EncodingEdit }
  | { readonly on: 'wire'; readonly edit: WireEdit; readonly place: number };

const pathEdits = ['append', 'cut', 'double', 'slash', 'dots', 'percent', 'encoded', 'nul', 'upper', 'unicode', 'long', 'alias'] as const;
const textEdits = ['truncate', 'comma', 'bom', 'latin1', 'empty', 'space', 'double', 'word', 'array', 'twice'] as const;
const encodingEdits = ['gzip', 'gzip_cut', 'gzip_claimed', 'bomb', 'br', 'chunked', 'identity'] as const;
const wireEdits = [
  'cut',
  'long_length',
  'short_length',
  'no_host',
  'http_1_0',
  'http_2',
  'header_overflow',
  'folded',
  'both_lengths',
  'bad_chunk',
  'raw_target',
  'absolute',
  'expect',
] as const;

type PathEdit = (typeof pathEdits)[number];
type TextEdit = (typeof textEdits)[number];
type EncodingEdit = (typeof encodingEdits)[number];
export type WireEdit = (typeof wireEdits)[number];

const place = fc.nat(500);

const headers = fc.constantFrom<readonly [string, string]>(
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=latin1'],
  ['content-type', 'application/problem+json'],
  ['content-type', ''],
  ['content-type', 'application/json, text/plain'],
  ['content-type', `application/${'x'.repeat(3000)}`],
  ['accept', 'text/html'],
  ['accept-encoding', 'gzip, br'],
  ['x-request-id', 'a b'],
  ['x-request-id', 'x'.repeat(101)],
  ['x-request-id', 'mine'],
  ['origin', 'https://example.com'],
  ['origin', 'null'],
  ['access-control-request-method', 'TRACE'],
  ['hook0-client-options', 'rust'],
  ['if-none-match', '*'],
  ['range', 'bytes=0-1'],
  ['host', 'evil.example"><script>'],
  ['host', ''],
  ['x-forwarded-for', '1.2.3.4'],
  ['connection', 'upgrade'],
  ['authorization', 'Bearer'],
  ['authorization', ''],
  ['authorization', 'Basic dXNlcjpwYXNz'],
  ['authorization', 'Bearer \u00e9\u00ff'],
  ['authorization', `Bearer ${'a'.repeat(4000)}`],
  ['authorization', 'Bearer 00000000-0000-0000-0000-000000000000'],
);

/** What can be wrong with any request; members and values of the body most of all. */
export const twists: fc.Arbitrary<Twist> = fc.oneof(
  {
    weight: 12,
    arbitrary: mutations.map((mutation) => ({ on: 'json', mutation }) as const),
  },
  {
    weight: 4,
    arbitrary: fc.record({ on: fc.constant('query' as const), name: fc.option(oddTexts, { freq: 5 }), value: oddTexts, place }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('?', '&', '=', '%', '%zz', 'a[]=1', 'application_id', '%00=1')
      .map((text) => ({ on: 'raw_query', text }) as const),
  },
  { weight: 3, arbitrary: fc.record({ on: fc.constant('path' as const), edit: fc.constantFrom(...pathEdits), place }) },
  { weight: 3, arbitrary: fc.record({ on: fc.constant('text' as const), edit: fc.constantFrom(...textEdits), place }) },
  { weight: 3, arbitrary: headers.map(([name, value]) => ({ on: 'header', name, value }) as const) },
  { weight: 2, arbitrary: fc.record({ on: fc.constant('encoding' as const), edit: fc.constantFrom(...encodingEdits) }) },
  { weight: 2, arbitrary: fc.record({ on: fc.constant('wire' as const), edit: fc.constantFrom(...wireEdits), place }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND')
      .map((method) => ({ on: 'method', method }) as const),
  },
);

/** Applies what concerns the parts of a request; its bytes come later. */
export function twist(draft: Draft, one: Twist): Draft {
  switch (one.on) {
    case 'method':
      return { ...draft, method: one.method };
    case 'path':
      return { ...draft, path: editPath(draft.path, one.edit, one.place) };
    case 'query':
      return { ...draft, query: editQuery(draft.query, one) };
    case 'header':
      return { ...draft, headers: [...draft.headers.filter(([name]) => name !== one.name), [one.name, one.value]] };
    case 'json':
      // What takes no body gets a small one: a server that closes on a large one which it did not read cuts off large answers.
      return { ...draft, body: draft.body === undefined ? { place: one.mutation.place } : mutate(draft.body, one.mutation) };
    case 'raw_query':
    case 'text':
    case 'encoding':
    case 'wire':
      return draft;
  }
}

function editPath(path: string, edit: PathEdit, at: number): string {
  const index = at % (path.length + 1);
  switch (edit) {
    case 'append':
      return `${path}/more`;
    case 'cut':
      return path.slice(0, Math.max(1, index));
    case 'double':
      return path.replaceAll('/', '//');
    case 'slash':
      return `${path}/`;
    case 'dots':
      return `${path}/../${path}`;
    case 'upper':
      return path.toUpperCase();
    case 'long':
      return `${path}/${'x'.repeat(4000)}`;
    case 'alias':
      return path.replace('/api/v1', '/api');
    case 'percent':
    case 'encoded':
    case 'nul':
    case 'unicode': {
      const inserted = { percent: '%zz', encoded: '%2F%2e', nul: '%00', unicode: '%ED%A0%80%F0%9F%98%80' }[edit];
      return path.slice(0, Math.max(1, index)) + inserted + path.slice(Math.max(1, index));
    }
  }
}

/** Without a name: takes the parameter at the place away, or gives it the value. With one: adds it. */
function editQuery(query: Draft['query'], one: Extract<Twist, { readonly on: 'query' }>): Draft['query'] {
  const index = query.length === 0 ? 0 : one.place % query.length;
  const [name] = query[index] ?? [];
  if (one.name !== null && one.place % 4 === 0) {
    return [...query, [one.name, one.value]];
  }
  if (name === undefined || one.place % 4 === 1) {
    return query.toSpliced(index, 1);
  }
  return one.place % 4 === 2 ? [...query, [name, one.value]] : query.with(index, [name, one.value]);
}

export function editText(text: string, edit: TextEdit, at: number): Buffer {
  const utf8 = Buffer.from(text);
  switch (edit) {
    case 'truncate':
      return utf8.subarray(0, at % (utf8.length + 1));
    case 'comma':
      return Buffer.from(`${text},`);
    case 'bom':
      return Buffer.from(`\ufeff${text}`);
    case 'latin1':
      return Buffer.concat([
        utf8.subarray(0, at % (utf8.length + 1)),
        Buffer.from([0xff, 0xc0, 0x80]),
        utf8.subarray(at % (utf8.length + 1)),
      ]);
    case 'empty':
      return Buffer.alloc(0);
    case 'space':
      return Buffer.from(` \r\n\t${text}\n\n`);
    case 'double':
      return Buffer.from(text + text);
    case 'word':
      return Buffer.from(['null', 'true', '0', '"text"', 'NaN'][at % 5] ?? '');
    case 'array':
      return Buffer.from(`[${text}]`);
    case 'twice':
      return Buffer.from(text.replace('{', '{"application_id":"twice","application_id":null,'));
  }
}

/** The body as it travels, and the headers that say so. */
export function encode(body: Buffer, edit: EncodingEdit): { readonly bytes: Buffer; readonly headers: Draft['headers'] } {
  switch (edit) {
    case 'gzip':
      return { bytes: gzipSync(body), headers: [['content-encoding', 'gzip']] };
    case 'gzip_cut':
      return { bytes: gzipSync(body).subarray(0, -5), headers: [['content-encoding', 'x-gzip']] };
    case 'gzip_claimed':
      return { bytes: body, headers: [['content-encoding', 'gzip']] };
    case 'bomb':
      return { bytes: bomb(), headers: [['content-encoding', 'gzip']] };
    case 'br':
      return { bytes: body, headers: [['content-encoding', 'br']] };
    case 'identity':
      return { bytes: body, headers: [['content-encoding', 'identity']] };
    case 'chunked':
      return {
        bytes: Buffer.concat([
          Buffer.from(body.length === 0 ? '' : `${body.length.toString(16)}\r\n`),
          body,
          Buffer.from(body.length === 0 ? '0\r\n\r\n' : '\r\n0\r\n\r\n'),
        ]),
        headers: [['transfer-encoding', 'chunked']],
      };
  }
}

let bombBytes: Buffer | null = null;

/** Expands to more than any body may have. */
function bomb(): Buffer {
  bombBytes ??= gzipSync(Buffer.alloc(32 * 1024 * 1024, ' '));
  return bombBytes;
}
