import * as fc from 'fast-check';

/** A change of a JSON value somewhere inside of it. */
export interface Mutation {
  readonly kind: 'remove' | 'replace' | 'add' | 'wrap';
  /** Which of its places, counted from the outside and modulo their number. */
  readonly place: number;
  readonly value: unknown;
}

/** Stands for lists in lists, this many levels deep: more than a function that calls itself could write. */
function nest(levels: number): string {
  return `nest--${levels}--`;
}

/** Texts that have broken parsers, databases and logs before. */
export const oddTexts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udc00x',
    '\ufeff',
    '\u202e',
    'é'.repeat(60),
    '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}'.repeat(20),
    "'; drop table event.event; --",
    '%00',
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '$1',
    '{}',
    'null',
    '-1',
    '1e309',
    'NaN',
    '2026-13-45T99:99:99Z',
    '2026-02-30T00:00:00Z',
    '9999-12-31T23:59:60.999999999+23:59',
    '0000-01-01T00:00:00Z',
    '9999-12-31 23:59:59.999999999-00:00',
    '00000000-0000-0000-0000-000000000000',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    'x'.repeat(5000),
    'line\r\nX-Injected: 1',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
);

const oddValues = fc.oneof(
  oddTexts,
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 31,
    2 ** 53,
    -(2 ** 63),
    1e300,
    [],
    {},
    [null],
    [[]],
    { '': '' },
    nest(900),
    nest(1100),
    nest(100_000),
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(oddTexts, oddTexts, { maxKeys: 60, size: 'max' }),
);

export const mutations: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('remove', 'replace', 'replace', 'replace', 'add', 'wrap'),
  place: fc.nat(200),
  value: oddValues,
});

/** Changes a JSON value; it stays one. */
export function mutate(value: unknown, mutation: Mutation): unknown {
  const { kind } = mutation;
  const places = countOf(value);
  const count = { left: mutation.place % places };
  return change(value, count, (inner) => {
    switch (kind) {
      case 'remove':
        return undefined;
      case 'replace':
        return mutation.value;
      case 'wrap':
        return [inner];
      case 'add':
        return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
          ? { ...inner, unheard_of: mutation.value }
          : mutation.value;
    }
  });
}

/** As JSON, with deep nests in their places. A value that was removed altogether leaves an empty text. */
export function write(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  return (text ?? '').replaceAll(/"nest--(\d+)--"/g, (_match, levels: string) => '['.repeat(Number(levels)) + ']'.repeat(Number(levels)));
}

function countOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Object.values(value).reduce<number>((sum, inner) => sum + countOf(inner), 1) : 1;
}

/** Goes through a value until nothing is left to count, and replaces what is there. */
function change(value: unknown, count: { left: number }, replace: (value: unknown) => unknown): unknown {
  if (count.left === 0) {
    count.left -= 1;
    return replace(value);
  }
  count.left -= 1;
  if (Array.isArray(value)) {
    return value.map((inner: unknown) => change(inner, count, replace)).filter((inner) => inner !== undefined);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, change(inner, count, replace)]));
  }
  return value;
}
