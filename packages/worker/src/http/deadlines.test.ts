import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from './deadlines.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const now = (): number => performance.now();

function given() {
  const passed: [item: string, atMs: number][] = [];
  const begin = now();
  const deadlines = new Deadlines<string>({ afterMs: 1000, now, onDeadline: (item) => void passed.push([item, now() - begin]) });
  return { deadlines, passed };
}

test('each deadline passes at its own time, whatever ended before it', () => {
  const { deadlines, passed } = given();
  const a = deadlines.start('a', now());
  vi.advanceTimersByTime(300);
  deadlines.start('b', now());
  const c = deadlines.start('c', now());
  expect(deadlines.end(a)).toBe(true);
  expect(deadlines.end(a)).toBe(false);
  vi.advanceTimersByTime(600);
  deadlines.start('d', now());
  expect(deadlines.end(c)).toBe(true);
  vi.advanceTimersByTime(399);
  expect(passed).toEqual([]);
  expect(deadlines.items()).toEqual(['b', 'd']);
  vi.advanceTimersByTime(1000);
  expect(passed).toEqual([
    ['b', 1300],
    ['d', 1900],
  ]);
  expect(deadlines.items()).toEqual([]);
});

test('one that starts while others pass is waited for', () => {
  const { deadlines, passed } = given();
  const again = new Deadlines<string>({
    afterMs: 10,
    now,
    onDeadline(item) {
      passed.push([item, 0]);
      if (passed.length < 3) {
        again.start(`${item}'`, now());
      }
    },
  });
  again.start('a', now());
  vi.advanceTimersByTime(100);
  expect(passed.map(([item]) => item)).toEqual(['a', "a'", "a''"]);
  expect(vi.getTimerCount()).toBe(0);
  expect(deadlines.items()).toEqual([]);
});
