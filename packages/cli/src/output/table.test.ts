import { describe, expect, test } from 'vitest';
import { layOutTable, type TableColumn } from './table.ts';
import { cutTo, oneLine, severalLines, textOf, widthOf } from './text.ts';

const plain = (text: string) => text;
const columns: readonly TableColumn[] = [
  { title: 'ID', cuttable: false },
  { title: 'TEXT', cuttable: true },
  { title: 'STATUS', cuttable: false },
];
const rows = [
  ['0192b6a0-7d3e', 'a text that goes on for a good while', 'failed'],
  ['0192b6a0-7d3f', 'short', 'successful'],
];

describe('a table', () => {
  test('is as wide as its cells where nothing limits it, without blanks at the ends of lines', () => {
    expect(layOutTable(columns, rows, { width: null, paintTitle: plain })).toEqual([
      'ID             TEXT                                  STATUS',
      '0192b6a0-7d3e  a text that goes on for a good while  failed',
      '0192b6a0-7d3f  short                                 successful',
    ]);
  });

  test('cuts texts where the terminal is narrower, never ids', () => {
    expect(layOutTable(columns, rows, { width: 44, paintTitle: plain })).toEqual([
      'ID             TEXT               STATUS',
      '0192b6a0-7d3e  a text that goes…  failed',
      '0192b6a0-7d3f  short              successful',
    ]);
  });

  test('leaves out what can be spared where cutting does not help, and nothing else', () => {
    const withExtra = columns.map((column) => ({ ...column, canBeSpared: column.title === 'STATUS' }));

    expect(layOutTable(withExtra, rows, { width: 30, paintTitle: plain })).toEqual([
      'ID             TEXT',
      '0192b6a0-7d3e  a text that go…',
      '0192b6a0-7d3f  short',
    ]);
    expect(layOutTable(withExtra, rows.slice(0, 1), { width: 10, paintTitle: plain })).toHaveLength(3);
  });

  test('becomes a block of lines for each row where cutting does not help', () => {
    expect(layOutTable(columns, rows, { width: 30, paintTitle: plain })).toEqual([
      'ID      0192b6a0-7d3e',
      'TEXT    a text that goes on for a good while',
      'STATUS  failed',
      '',
      'ID      0192b6a0-7d3f',
      'TEXT    short',
      'STATUS  successful',
    ]);
  });

  test('keeps columns straight whatever the script', () => {
    const lines = layOutTable(
      columns.slice(1),
      [
        ['日本語', 'x'],
        ['👨‍👩‍👧‍👦', 'x'],
        ['e\u0301t\u0301', 'x'],
      ],
      { width: null, paintTitle: plain },
    );

    expect(lines.slice(1).map((line) => widthOf(line.slice(0, line.lastIndexOf('x'))))).toEqual([8, 8, 8]);
  });

  test('paints without moving anything', () => {
    const painted = layOutTable(
      [{ title: 'S', cuttable: false, paint: () => (text) => `\u001b[31m${text}\u001b[39m` }, ...columns.slice(1, 2)],
      [
        ['no', 'x'],
        ['yes', 'y'],
      ],
      {
        width: null,
        paintTitle: plain,
      },
    );

    expect(painted).toEqual(['S    TEXT', '\u001b[31mno\u001b[39m   x', '\u001b[31myes\u001b[39m  y']);
  });
});

describe('a text', () => {
  test.each([
    ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 5, '👨‍👩‍👧‍👦👨‍👩‍👧‍👦…'],
    ['日本語日本語', 6, '日本…'],
    ['short', 5, 'short'],
  ])('%s is cut to %i columns between characters', (text, width, cut) => {
    expect(cutTo(text, width)).toBe(cut);
    expect(widthOf(cut)).toBeLessThanOrEqual(width);
  });

  test('that a stranger wrote cannot steer the terminal', () => {
    const hostile = '\u001b]0;owned\u0007\u001b[2J\u202eabc\nnext\u009b31m\ud800';

    expect(oneLine(hostile)).toBe('\\u001b]0;owned\\u0007\\u001b[2J\\u202eabc\\nnext\\u009b31m\ufffd');
    expect(severalLines('a\r\nb\tc\u001b[2J')).toBe('a\nb\tc\\u001b[2J');
  });

  test.each([
    [null, '-'],
    [true, 'yes'],
    [[], '-'],
    [['a', 'b'], 'a, b'],
    [{ tenant: 'acme', region: 'eu' }, 'tenant=acme region=eu'],
    ['2026-01-01T00:00:00.123Z', '2026-01-01T00:00:00Z'],
    [0, '0'],
  ])('says %j as %s', (value, text) => {
    expect(textOf(value)).toBe(text);
  });
});
