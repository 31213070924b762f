import { expect, test } from 'vitest';
import { formatWakeUp, parseWakeUp } from './wake-up.ts';

test('reads what it wrote', () => {
  expect(parseWakeUp(formatWakeUp({ number: 7, poolIds: [0, 12], rewind: false }))).toEqual({
    number: 7,
    poolIds: [0, 12],
    rewind: false,
    parked: false,
  });
  expect(parseWakeUp(formatWakeUp({ number: 8, poolIds: [3], rewind: true }))).toMatchObject({ poolIds: [3], rewind: true, parked: false });
  const parked = parseWakeUp(formatWakeUp({ number: 9, poolIds: [3], rewind: false, parked: true }));
  expect(parked).toEqual({ number: 9, poolIds: [3], rewind: false, parked: true });
});

test('wakes all pools when there are too many to name', () => {
  const poolIds = Array.from({ length: 3000 }, (_, index) => 1_000_000 + index);
  const payload = formatWakeUp({ number: 1, poolIds, rewind: false });
  expect(payload.length).toBeLessThan(8000);
  expect(parseWakeUp(payload).poolIds).toBe('all');
});

test.each(['', 'nonsense', '1 due', '-1 due 0', '1 due 0; drop'])('takes the unreadable %j for a call to everybody', (payload) => {
  expect(parseWakeUp(payload)).toEqual({ number: 0, poolIds: 'all', rewind: true, parked: false });
});
