import { expect, test } from 'vitest';
import { restartDelayMs } from './restart-delay.ts';

test('waits twice as long after each failure, and never longer than half a minute', () => {
  expect([0, 1, 2, 3, 8, 9, 1000].map(restartDelayMs)).toEqual([100, 200, 400, 800, 25_600, 30_000, 30_000]);
});
