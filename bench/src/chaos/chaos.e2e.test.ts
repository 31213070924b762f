import { expect, test } from 'vitest';
import { runChaos } from './chaos.ts';

test('a few seconds of misfortune lose nothing that was accepted', async () => {
  const result = await runChaos({ seconds: 8, workers: 2, random: Math.random, print() {} });
  expect(result).toMatchObject({ lost: 0 });
  expect(result.accepted).toBeGreaterThan(20);
});
