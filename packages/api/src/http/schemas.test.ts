import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTimestamp } from './schemas.ts';

const padded = (max: number, width: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(width, '0'));
const time = fc
  .tuple(
    padded(9999, 4),
    padded(13, 2),
    padded(32, 2),
    padded(24, 2),
    padded(60, 2),
    padded(60, 2),
    fc.constantFrom('', '.5', '.123', '.1234'),
  )
  .map(([year, month, day, hour, minute, second, fraction]) => `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}`);

test('a time is the same with Z and with an offset of nothing', () => {
  let read = 0;
  fc.assert(
    fc.property(time, (text) => {
      const date = readTimestamp(`${text}Z`);
      read += date === null ? 0 : 1;
      expect(date).toStrictEqual(readTimestamp(`${text}+00:00`));
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(1000);
});

test.each(['2026-02-29T00:00:00Z', '2026-04-31T12:00:00.123Z', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-01T00:60:00Z'])(
  '%s does not exist',
  (text) => {
    expect(readTimestamp(text)).toBeNull();
  },
);
