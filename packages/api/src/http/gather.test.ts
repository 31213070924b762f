import { expect, test } from 'vitest';
import { Gatherer } from './gather.ts';

test('puts parts together in order, and starts anew', () => {
  const gatherer = new Gatherer();

  for (const part of ['a', '', 'bc', 'defghij', 'k']) {
    gatherer.add(Buffer.from(part));
  }

  expect(gatherer.length).toBe(11);
  expect(gatherer.take().toString()).toBe('abcdefghijk');
  expect([gatherer.length, gatherer.take().length]).toEqual([0, 0]);
});

test('writes over no part that it was given, nor over what it gave', () => {
  const chunk = Buffer.from('12345678');
  const gatherer = new Gatherer();

  gatherer.add(chunk.subarray(0, 2));
  gatherer.add(Buffer.from('xy'));
  const first = gatherer.take();
  gatherer.add(chunk.subarray(4, 6));
  gatherer.add(Buffer.from('zz'));
  const second = gatherer.take();

  expect([chunk.toString(), first.toString(), second.toString()]).toEqual(['12345678', '12xy', '56zz']);
});

test('a megabyte of single bytes takes a few megabytes', () => {
  const gatherer = new Gatherer();
  const before = process.memoryUsage().arrayBuffers;

  for (let index = 0; index < 1_000_000; index += 1) {
    gatherer.add(Buffer.from('a'));
  }

  expect(gatherer.take().equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
});
