import { expect, test } from 'vitest';
import { renderResultTable, type ResultColumn, rowOf } from './result-table.ts';

const columns: readonly ResultColumn[] = [
  { name: 'p99 ms', digits: 1, target: { atMost: 15 } },
  { name: 'rate', digits: 2, target: { atLeast: 0.7 } },
];

test('shows medians with their spreads beside the targets, and marks what misses one', () => {
  const row = rowOf(columns, 'two workers', [
    { 'p99 ms': 16, rate: 0.7 },
    { 'p99 ms': 14, rate: 0.9 },
    { 'p99 ms': 20, rate: 0.6 },
  ]);

  const text = renderResultTable({ title: 'Table', note: '', columns, rows: [row] });

  expect(text).toContain('|  | p99 ms (target: at most 15) | rate (target: at least 0.7) |');
  expect(text).toContain('| two workers | 16.0 (14.0 to 20.0) **missed** | 0.70 (0.60 to 0.90) |');
});

test('asks nothing of rows to compare with, nor of cells without a value', () => {
  const reference = rowOf(columns, 'another queue', [{ 'p99 ms': 400, rate: 0.1 }], { isReference: true });
  const partial = rowOf(columns, 'half', [{ rate: 1 }]);

  const text = renderResultTable({ title: 'Table', note: '', columns, rows: [reference, partial] });

  expect(text).toContain('| another queue | 400.0 | 0.10 |');
  expect(text).toContain('| half |  | 1.00 |');
});
