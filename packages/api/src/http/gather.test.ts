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

test('makes room for what was announced, but not for much more than has come', () => {
  const announced = 1_000_000;
  const gatherer = new Gatherer(announced);
  const before = process.memoryUsage().arrayBuffers;

  gatherer.add(Buffer.alloc(1000, 'a'));
  gatherer.add(Buffer.alloc(1000, 'b'));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
  for (let length = 2000; length < announced; length += 1000) {
    gatherer.add(Buffer.alloc(1000, 'c'));
  }

  const taken = gatherer.take();
  expect([taken.length, taken.buffer.byteLength]).toEqual([announced, announced]);
  expect(taken.subarray(998, 2002).toString()).toBe(`aa${'b'.repeat(1000)}cc`);
});

test('takes more than was announced', () => {
  const gatherer = new Gatherer(3);

  for (const part of ['ab', 'cd', 'efgh']) {
    gatherer.add(Buffer.from(part));
  }

  expect(gatherer.take().toString()).toBe('abcdefgh');
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
