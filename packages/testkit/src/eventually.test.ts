import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('asks until there is an answer', async () => {
  let asked = 0;
  const answer = await eventually(
    () => {
      asked += 1;
      return asked === 3 ? 'yes' : asked === 2 ? false : undefined;
    },
    { intervalMs: 1 },
  );
  expect([answer, asked]).toEqual(['yes', 3]);
});

test('takes zero and the empty text for answers', async () => {
  expect(await eventually(() => 0)).toBe(0);
  expect(await eventually(() => '')).toBe('');
});

test('outlasts failures, and names the last one when time is up', async () => {
  let asked = 0;
  const ask = (): never => {
    asked += 1;
    throw new Error(`failure ${asked}`);
  };
  const failure = await eventually(ask, { timeoutMs: 20, intervalMs: 1 }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: 'Not within 20 ms.', cause: { message: `failure ${asked}` } });
  expect(asked).toBeGreaterThan(1);
});
