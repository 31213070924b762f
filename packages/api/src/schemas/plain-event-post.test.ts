import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventPost } from './events.ts';
import { readPlainEventPost } from './plain-event-post.ts';

const usual = {
  application_id: '0192B6A0-7d3e-7c3a-9f67-3d6f5a0b1c2d',
  event_type: 'order.item.added',
  payload: '{"total":"9,99 €"}',
  payload_content_type: 'application/json',
  occurred_at: '2026-02-28T12:00:00.123456Z',
  labels: { tenant: 'acme', region: 'eu-west' },
};

describe('reads what is usual as the schema does', () => {
  test.each([
    ['nothing that may be left out', usual],
    ['everything', { ...usual, event_id: usual.application_id, metadata: { 'trace id': 'a/b' } }],
    ['null for what may be left out', { ...usual, event_id: null, metadata: null }],
    ['members that nobody knows', { ...usual, colour: 'red', occured_at: 'now' }],
    ['no labels', { ...usual, labels: {} }],
    ['a label named as the prototype is', { ...usual, labels: JSON.parse('{"__proto__":"x","constructor":"y"}') }],
    ['a time with an offset, in lower case', { ...usual, occurred_at: '2024-02-29t23:59:59+05:30' }],
    ['a content type that there is not, which is refused elsewhere', { ...usual, payload_content_type: 'text/html' }],
  ])('with %s', (_name, post) => {
    const plain = readPlainEventPost(post);

    expect(plain).not.toBeNull();
    expect(plain).toStrictEqual(eventPost.parse(post));
  });
});

/** What stands where an event has one of its members, right, wrong and at the bounds. */
const values = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    0,
    true,
    '',
    [],
    {},
    'x'.repeat(50),
    'x'.repeat(51),
    'é'.repeat(26),
    'x'.repeat(201),
    '\u007f',
    '\ud800',
  ),
  fc.constantFrom(
    '2026-02-30T00:00:00Z',
    '2026-12-31T24:00:00Z',
    '2026-01-01',
    '2026-01-01T00:00:00.0000000001Z',
    '9999-12-31T23:59:59-01:00',
  ),
  fc.constantFrom(usual.application_id, `{${usual.application_id}}`, usual.application_id.replaceAll('-', '')),
  fc.constantFrom(
    { a: 'é'.repeat(26) },
    { ['é'.repeat(26)]: 'a' },
    { a: '\u0085' },
    { '\u0085': 'a' },
    { a: 'x'.repeat(51) },
    { a: '' },
    { '': 'a' },
    JSON.parse('{"__proto__":"a"}'),
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.dictionary(
    fc.string({ unit: 'binary', maxLength: 52 }),
    fc.oneof(fc.string({ maxLength: 52 }), fc.constantFrom<unknown>(null, 1, ['x'])),
    {
      maxKeys: 12,
    },
  ),
  fc.array(fc.string(), { maxLength: 2 }),
);

test('never reads what the schema refuses, nor reads anything otherwise', () => {
  let read = 0;
  const names = fc.constantFrom(...Object.keys(usual), 'event_id', 'metadata');
  fc.assert(
    fc.property(fc.dictionary(names, values, { maxKeys: 2 }), (changes) => {
      // As it comes: what is read may keep the maps that JSON makes.
      const post: unknown = JSON.parse(JSON.stringify({ ...usual, ...changes }));
      const plain = readPlainEventPost(post);
      read += plain === null ? 0 : 1;
      expect(plain).toStrictEqual(plain === null ? null : eventPost.parse(post));
    }),
    { numRuns: 5000 },
  );
  expect(read).toBeGreaterThan(500);
});

test.each([null, undefined, 'x', 3, [], [usual]])('leaves %j to the schema', (value) => {
  expect(readPlainEventPost(value)).toBeNull();
});
