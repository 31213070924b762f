import { cutTo, widthOf } from './text.ts';

export interface TableColumn {
  readonly title: string;
  /** Whether a cell may be cut where the terminal is narrow. Ids are not: they are copied. */
  readonly cuttable: boolean;
  readonly paint?: ((text: string) => (text: string) => string) | undefined;
}

export interface TableOptions {
  /** Of the terminal; null for as wide as it gets. */
  readonly width: number | null;
  readonly paintTitle: (text: string) => string;
}

const gap = '  ';
const cutWidthMin = 10;

/** The lines of a table. Where a terminal is too narrow for it even with cells cut, each row becomes a block of lines instead. */
export function layOutTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[], options: TableOptions): string[] {
  const natural = columns.map(({ title }, index) => rows.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), widthOf(title)));
  const widths = options.width === null ? natural : fit(columns, natural, options.width);
  if (widths === null) {
    return rows.flatMap((row, index) => [...(index === 0 ? [] : ['']), ...layOutBlock(columns, row, options)]);
  }
  const titles = columns.map(({ title }) => title);
  return [
    layOutLine(titles, widths, () => options.paintTitle),
    ...rows.map((row) => layOutLine(row, widths, (index, cell) => columns[index]?.paint?.(cell) ?? plain)),
  ];
}

/** A value to a line, with its name before it. */
export function layOutBlock(columns: readonly TableColumn[], row: readonly string[], options: TableOptions): string[] {
  const nameWidth = Math.max(...columns.map(({ title }) => widthOf(title)));
  return columns.map(({ title, paint }, index) => {
    const cell = row[index] ?? '';
    return `${options.paintTitle(pad(title, nameWidth))}${gap}${(paint?.(cell) ?? plain)(cell)}`;
  });
}

/** Takes columns from the widest that may be cut, until all fit; null when they never do. */
function fit(columns: readonly TableColumn[], natural: readonly number[], width: number): number[] | null {
  const widths = [...natural];
  let tooMuch = widths.reduce((sum, each) => sum + each, gap.length * (columns.length - 1)) - width;
  while (tooMuch > 0) {
    const cuttable = widths.filter((each, index) => columns[index]?.cuttable && each > cutWidthMin);
    if (cuttable.length === 0) {
      return null;
    }
    const widest = widths.findIndex((each, index) => columns[index]?.cuttable && each === Math.max(...cuttable));
    widths[widest] = (widths[widest] ?? 0) - 1;
    tooMuch -= 1;
  }
  return widths;
}

function layOutLine(
  cells: readonly string[],
  widths: readonly number[],
  paintOf: (index: number, cell: string) => (text: string) => string,
): string {
  return cells
    .map((cell, index) => {
      const shown = cutTo(cell, widths[index] ?? 0);
      const painted = paintOf(index, cell)(shown);
      // Nothing after the last column: a copied line has no blanks at its end.
      return index === cells.length - 1 ? painted : painted + ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(shown)));
    })
    .join(gap);
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function plain(text: string): string {
  return text;
}
