import { expect, test } from 'vitest';
import { readResult } from './read-results.ts';

const where = {
  machine: '2 x CPU',
  node: 'v24',
  postgres: '18',
  commit: 'abc',
  measuredAt: '2026-01-01T00:00:00Z',
  command: 'pnpm bench x',
};
const file = (results: unknown): string => JSON.stringify({ ...where, results });

test('reads tables as they were saved', () => {
  const table = {
    title: 'T',
    note: '',
    columns: [{ name: 'p50 ms', digits: 2, target: { atMost: 3 } }],
    rows: [{ name: 'a', cells: [[1, 2]] }],
  };

  expect(readResult('latency', file({ tables: [table] }))).toEqual({ name: 'latency', ...where, tables: [table] });
});

test('makes tables of measurements by setting and contender', () => {
  const result = readResult('delivery', file({ '20 concurrent': { bare: [{ perSecond: 10_000, databaseCpu: null }], worker: [] } }));

  expect(result?.tables).toMatchObject([
    {
      title: '20 concurrent',
      columns: [{ name: 'per second', isPlotted: true }, { name: 'database cpu' }],
      rows: [
        { name: 'bare', cells: [[10_000], []] },
        { name: 'worker', cells: [[], []] },
      ],
    },
  ]);
});

test('says of what it does not know that it does not know it', () => {
  expect(readResult('new', file({ figures: 'none' }))).toBeNull();
  expect(readResult('new', '{}')).toBeNull();
});
