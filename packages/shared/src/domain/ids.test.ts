import { expect, test } from 'vitest';
import { newId, normalizeUuid } from './ids.ts';

test('new ids are UUIDv7 in order of time', () => {
  const ids = Array.from({ length: 100 }, newId);
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
});

test('takes any hexadecimal id, nil and odd versions included', () => {
  expect(normalizeUuid('00000000-0000-0000-0000-000000000000')).toBe('00000000-0000-0000-0000-000000000000');
  expect(normalizeUuid('ABCDEF01-2345-F789-0BCD-EF0123456789')).toBe('abcdef01-2345-f789-0bcd-ef0123456789');
});

test.each(['', 'abcdef0123457789abcdef0123456789', '{00000000-0000-0000-0000-000000000000}', '00000000-0000-0000-0000-00000000000g'])(
  'takes no id from %j',
  (text) => {
    expect(normalizeUuid(text)).toBeNull();
  },
);
