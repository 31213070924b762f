import { expect, test } from 'vitest';
import { newEventId } from './event-id.ts';

test('is a UUIDv7 of its time', () => {
  const ids = Array.from({ length: 200 }, () => newEventId(0x0192b6a07d3e));
  expect(new Set(ids).size).toBe(200);
  for (const id of ids) {
    expect(id).toMatch(/^0192b6a0-7d3e-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
