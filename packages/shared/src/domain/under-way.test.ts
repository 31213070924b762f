import { expect, test } from 'vitest';
import { UnderWay } from './under-way.ts';

test('keeps the order of starts, whatever ends first', () => {
  const underWay = new UnderWay<string>();
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((item, index) => underWay.start(item, index));

  expect([b, d].map((started) => started && underWay.end(started))).toEqual([true, true]);
  expect(underWay.items()).toEqual(['a', 'c']);
  expect(underWay.oldest()).toMatchObject({ item: 'a', startedAtMs: 0 });

  underWay.start('e', 4);
  expect(a && underWay.end(a)).toBe(true);
  expect(underWay.items()).toEqual(['c', 'e']);
  expect(c && underWay.end(c)).toBe(true);
  expect(underWay.oldest()?.item).toBe('e');
  expect(underWay.count()).toBe(1);
});

test('ends nothing twice', () => {
  const underWay = new UnderWay<string>();
  const a = underWay.start('a', 0);
  underWay.start('b', 1);

  expect([underWay.end(a), underWay.end(a)]).toEqual([true, false]);
  expect(underWay.items()).toEqual(['b']);
  expect(underWay.count()).toBe(1);
});

test('what has ended holds on to nothing that was started later', () => {
  const underWay = new UnderWay<string>();
  const a = underWay.start('a', 0);
  const b = underWay.start('b', 1);
  underWay.end(a);
  underWay.end(b);

  expect([a.earlier, a.later, b.earlier, b.later]).toEqual([null, null, null, null]);
  expect(underWay.oldest()).toBeNull();
});
