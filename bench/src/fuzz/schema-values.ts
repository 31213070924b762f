import { at, membersOf } from '@postrider/testkit/json-members';
import * as fc from 'fast-check';
import { known } from './known-values.ts';
import { resolveSchema } from './operations.ts';

/** How often a value is just beyond what its schema allows: one of so many. */
const edgeEvery = 25;
/** Levels of generated values that may hold further ones. */
const depthMax = 6;

/** What parameters and members mean beyond their schemas, by their names. */
const meanings: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  event_type_name: fc.nat(5).map((index) => known('event_type', index)),
  event_types: fc.array(reference('event_type'), { minLength: 1, maxLength: 3 }),
  'event.event_type_names': reference('event_type'),
  event_type: reference('event_type'),
  pagination_cursor: reference('pagination_cursor'),
  application_secret_token: reference('application_secret_token'),
  dedicated_workers: fc.constantFrom(null, ['inside'], ['nobody']),
  application_ids: fc.constantFrom(null, [known('application_id', 0)], [known('application_id', 0), known('application_id', 1)]),
  actions: fc.constantFrom(null, ['events.ingest'], ['events.list', 'subscriptions.create'], ['service_tokens.create']),
  role: fc.constantFrom(null, 'editor', 'viewer', 'owner'),
  status: fc.constantFrom('successful', 'waiting,failed', 'pending', 'in_progress,', 'nothing'),
  page: fc.constantFrom(1, 1, 2, 100, 101, 0, '1.5', ''),
  per_page: fc.constantFrom(1, 10, 100, 1000, 1001, -1, '0x10'),
  from: fc.constantFrom('2026-01-01', '2026-02-29', '2024-02-29', '0000-01-01', '9999-12-31', 'today'),
  to: fc.constantFrom('2026-12-31', '2026-02-28', '9999-12-31', '10000-01-01', ''),
  label: fc.constantFrom('tenant=acme', 'tenant', '=', 'tenant=', 'a=b=c'),
  labels: fc.oneof(
    fc.constant({ tenant: 'acme' }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 50 }), fc.string({ minLength: 1, maxLength: 50 }), { maxKeys: 10 }),
  ),
  key: fc.constantFrom('health', 'wrong'),
  id: fc.constantFrom('NotFound', 'Validation', 'Nothing'),
  file: fc.constantFrom('start.js', 'swagger-ui.css', 'favicon-32x32.png', 'package.json', '..'),
  payload: fc.oneof(
    fc.json(),
    fc.jsonValue(),
    fc.string(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
  ),
  url: fc.oneof(
    fc.constant('http://127.0.0.1:9/hook'),
    fc.webUrl({ withQueryParameters: true }),
    // What parsers of URLs take without a word.
    fc.constantFrom(
      'http://127.0.0.1:9/a\u0000b',
      'http://127.0.0.1:9/\ud800',
      ' http://127.0.0.1:9\t/\n',
      'http:127.1',
      'HTTPS://u:p@\u00e9.example:0/#f',
    ),
  ),
  overlap: durations(),
  timeout: durations(),
  period: durations(),
  fast_retry_delay: durations(),
  fast_retry_max_delay: durations(),
  slow_retry_delay: durations(),
  slow_retry_max_delay: durations(),
  delays: fc.oneof(fc.constant(null), fc.array(durations(), { maxLength: 5 })),
};

/** Makes values of JSON Schemas: valid ones, and now and then one that is just beyond a bound. */
export class SchemaValues {
  readonly #document: unknown;

  constructor(document: unknown) {
    this.#document = document;
  }

  /** Of a member or parameter of that name. */
  of(schema: unknown, name: string, depth = 0): fc.Arbitrary<unknown> {
    const resolved = resolveSchema(this.#document, schema);
    const meaning = meanings[name];
    const usual =
      meaning === undefined
        ? this.#plain(resolved, name, depth)
        : fc.oneof({ weight: 9, arbitrary: meaning }, { weight: 1, arbitrary: this.#plain(resolved, name, depth) });
    const beyond = beyondBounds(resolved);
    return beyond === null ? usual : fc.oneof({ weight: edgeEvery - 1, arbitrary: usual }, { weight: 1, arbitrary: beyond });
  }

  #plain(schema: unknown, name: string, depth: number): fc.Arbitrary<unknown> {
    const choices = at(schema, 'anyOf') ?? at(schema, 'oneOf');
    if (Array.isArray(choices)) {
      return fc.oneof(...choices.map((choice: unknown) => this.of(choice, name, depth)));
    }
    const constants = at(schema, 'enum') ?? (at(schema, 'const') === undefined ? undefined : [at(schema, 'const')]);
    if (Array.isArray(constants)) {
      return fc.constantFrom(...constants.map((constant: unknown) => constant));
    }
    const type = at(schema, 'type');
    return fc.oneof(...[type].flat().map((one: unknown) => this.#ofType(String(one), schema, name, depth)));
  }

  #ofType(type: string, schema: unknown, name: string, depth: number): fc.Arbitrary<unknown> {
    switch (type) {
      case 'object':
        return depth > depthMax ? fc.constant({}) : this.#object(schema, depth);
      case 'array':
        return fc.array(this.of(at(schema, 'items'), name, depth + 1), {
          minLength: bound(schema, 'minItems', 0),
          maxLength: Math.min(bound(schema, 'maxItems', 5), bound(schema, 'minItems', 0) + 4),
        });
      case 'string':
        return strings(schema, name);
      case 'integer':
        return fc.integer({ min: bound(schema, 'minimum', -10), max: bound(schema, 'maximum', 10_000) });
      case 'number':
        return fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.double({ noDefaultInfinity: true, noNaN: true }));
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      default:
        return fc.jsonValue({ maxDepth: 3 });
    }
  }

  #object(schema: unknown, depth: number): fc.Arbitrary<unknown> {
    const properties = membersOf(at(schema, 'properties'));
    if (properties.length === 0) {
      const names = strings(at(schema, 'propertyNames'), '').map(String);
      return fc.dictionary(names, this.of(at(schema, 'additionalProperties'), '', depth + 1), { maxKeys: 4 });
    }
    const required = at(schema, 'required');
    const members = Object.fromEntries(properties.map(([name, member]) => [name, this.of(member, name, depth + 1)]));
    return recordOf(members, (name) => Array.isArray(required) && required.includes(name));
  }
}

/** A third of what is optional at a time: one that is refused is enough to have all of it refused. */
export function recordOf(
  members: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  isRequired: (name: string) => boolean,
): fc.Arbitrary<Record<string, unknown>> {
  const left = { weight: 2, arbitrary: fc.constant(undefined) };
  const given = Object.entries(members).map(([name, arbitrary]): [string, fc.Arbitrary<unknown>] => [
    name,
    isRequired(name) ? arbitrary : fc.oneof(left, { weight: 1, arbitrary }),
  ]);
  return fc
    .record(Object.fromEntries(given))
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)));
}

function reference(kind: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(known(kind, 0)) },
    { weight: 1, arbitrary: fc.nat(20).map((index) => known(kind, index)) },
  );
}

function durations(): fc.Arbitrary<unknown> {
  return fc.constantFrom(0, 1, 30, 0.5, -1, 1e300, '1s', '30s', '5m', '24h', '500ms', '1000000h', '');
}

function strings(schema: unknown, name: string): fc.Arbitrary<unknown> {
  const pattern = at(schema, 'pattern');
  switch (at(schema, 'format')) {
    case 'uuid':
      return fc.oneof({ weight: 9, arbitrary: reference(name) }, { weight: 1, arbitrary: fc.uuid() });
    case 'date-time':
      return fc
        .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
        .map((date) => date.toISOString());
    case undefined:
      break;
    default:
      return fc.webUrl();
  }
  const maxLength = bound(schema, 'maxLength', 60);
  const minLength = Math.min(bound(schema, 'minLength', 0), maxLength);
  if (typeof pattern === 'string' && !pattern.startsWith('^[^')) {
    return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, maxLength));
  }
  const unit = fc.oneof(fc.constantFrom(...'abcxyz019 -_.é'.split('')), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }));
  return fc.string({ unit, minLength, maxLength: Math.min(maxLength, minLength + 40) });
}

/** The smallest steps beyond what a schema allows; null where it has no bound. */
function beyondBounds(schema: unknown): fc.Arbitrary<unknown> | null {
  const steps = [
    ['maximum', (limit: number) => limit + 1],
    ['minimum', (limit: number) => limit - 1],
    ['maxLength', (limit: number) => 'x'.repeat(limit + 1)],
    ['minLength', (limit: number) => 'x'.repeat(Math.max(0, limit - 1))],
    ['maxItems', (limit: number) => Array.from({ length: limit + 1 }, (_, index) => `item-${index}`)],
    ['maxProperties', (limit: number) => Object.fromEntries(Array.from({ length: limit + 1 }, (_, index) => [`key-${index}`, 'x']))],
  ] as const;
  const values = steps.flatMap(([name, beyond]): unknown[] => {
    const limit = at(schema, name);
    return typeof limit === 'number' ? [beyond(limit), ...(name === 'maxLength' ? ['é'.repeat(limit), '😀'.repeat(limit)] : [])] : [];
  });
  return values.length === 0 ? null : fc.constantFrom(...values);
}

function bound(schema: unknown, name: string, otherwise: number): number {
  const value = at(schema, name);
  return typeof value === 'number' ? value : otherwise;
}
