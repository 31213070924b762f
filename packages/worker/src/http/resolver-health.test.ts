import { expect, test } from 'vitest';
import { createResolverHealth, type ResolverHealth } from './resolver-health.ts';

function given(answered: readonly string[], failing: readonly string[]): ResolverHealth {
  const health = createResolverHealth();
  answered.forEach(health.noteAnswer);
  failing.forEach(health.noteFailure);
  return health;
}

test.each([
  ['nothing was asked', [], [], false],
  ['one name fails, and nothing else was ever asked', [], ['a.example'], false],
  ['one name fails again and again', [], ['a.example', 'a.example', 'a.example'], false],
  ['the only name that was ever asked for fails', ['a.example'], ['a.example'], false],
  ['one name fails, others were answered before', ['a.example', 'b.example', 'c.example'], ['d.example'], false],
  ['two fail where there are more', ['a.example', 'b.example', 'c.example'], ['a.example', 'd.example'], false],
  ['three fail', ['a.example', 'b.example', 'c.example'], ['a.example', 'b.example', 'd.example'], true],
  ['the only two that there are fail', ['a.example'], ['a.example', 'b.example'], true],
  ['three fail and nothing was ever answered', [], ['a.example', 'b.example', 'c.example'], true],
])('%s', (_name, answered, failing, hasFailed) => {
  expect(given(answered, failing).hasFailed()).toBe(hasFailed);
});

test('any answer ends it', () => {
  const health = given([], ['a.example', 'b.example', 'c.example']);
  health.noteAnswer('d.example');
  expect(health.hasFailed()).toBe(false);
  health.noteFailure('a.example');
  health.noteFailure('b.example');
  expect(health.hasFailed()).toBe(false);
  health.noteFailure('c.example');
  expect(health.hasFailed()).toBe(true);
});

test('asks again for two names that were answered last, of other zones first', () => {
  const answered = ['www.old.example', 'a.broken.example', 'b.broken.example', 'www.new.test', 'www.newest.test'];
  expect(given(answered, ['c.broken.example']).controlNames()).toEqual(['www.newest.test', 'www.new.test']);
  expect(given(['a.broken.test', 'www.old.example'], ['b.broken.test']).controlNames()).toEqual(['www.old.example', 'a.broken.test']);
  expect(given(['a.example'], ['a.example']).controlNames()).toEqual([]);
});

test('remembers a bounded number of names', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `host-${index}.example`);
  expect(given(names, []).controlNames()).toEqual(['host-999.example', 'host-998.example']);
  const health = given([...names, 'a.example'], names);
  expect(health.hasFailed()).toBe(true);
  expect(health.controlNames()).toHaveLength(2);
});
