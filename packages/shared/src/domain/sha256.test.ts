import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

test.each(['', 'a', 'Grüße', 'x'.repeat(100_000)])('hashes texts and their bytes as everybody does: %.20s', (text) => {
  const expected = createHash('sha256').update(text).digest();

  expect(sha256(text)).toEqual(expected);
  expect(sha256(Buffer.from(text))).toEqual(expected);
});
