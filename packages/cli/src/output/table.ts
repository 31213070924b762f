import { cutTo, widthOf } from './text.ts';

export interface TableColumn {
  readonly title: string;
  /** Whether a cell may be cut where the terminal is narrow. Ids are not: they are copied. */
  readonly cuttable: boolean;
  /** Whether it may be left out there. */
  readonly canBeSpared?: boolean | undefined;
  readonly paint?: ((text: string) => (text: string) => string) | undefined;
}

export interface TableOptions {
  /** Of the terminal; null for as wide as it gets. */
  readonly width: number | null;
  readonly paintTitle: (text: string) => string;
}

const gap = '  ';
const cutWidthMin = 8;

/**
 * The lines of a table. Where a terminal is too narrow cells are cut, then columns left out that can be spared; where that does not help
 * either, each row becomes a block of lines instead, with everything.
 */
export function layOutTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[], options: TableOptions): string[] {
  const natural = columns.map(({ title }, index) => rows.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), widthOf(title)));
  const measured = columns.map((column, index): MeasuredColumn => ({ ...column, index, width: natural[index] ?? 0 }));
  const shown = options.width === null ? measured : fit(measured, options.width);
  if (shown === null) {
    return rows.flatMap((row, index) => [...(index === 0 ? [] : ['']), ...layOutBlock(columns, row, options)]);
  }
  const titles = columns.map(({ title }) => title);
  return [
    layOutLine(shown, titles, () => options.paintTitle),
    ...rows.map((row) => layOutLine(shown, row, ({ paint }, cell) => paint?.(cell) ?? plain)),
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

interface MeasuredColumn extends TableColumn {
  /** Its place in each row. */
  readonly index: number;
  readonly width: number;
}

/** The columns that fit, narrower where they may be cut; null when they never do. */
function fit(columns: readonly MeasuredColumn[], width: number): readonly MeasuredColumn[] | null {
  const widths = cutWidths(columns, width);
  if (widths !== null) {
    return columns.map((column, index) => ({ ...column, width: widths[index] ?? 0 }));
  }
  const spared = columns.findLastIndex(({ canBeSpared }) => canBeSpared);
  return spared === -1 ? null : fit(columns.toSpliced(spared, 1), width);
}

/** Takes from the widest that may be cut, until all fit; null when they never do. */
function cutWidths(columns: readonly MeasuredColumn[], width: number): number[] | null {
  const widths = columns.map((column) => column.width);
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
  columns: readonly MeasuredColumn[],
  cells: readonly string[],
  paintOf: (column: MeasuredColumn, cell: string) => (text: string) => string,
): string {
  return columns
    .map((column, place) => {
      const cell = cells[column.index] ?? '';
      const shown = cutTo(cell, column.width);
      const painted = paintOf(column, cell)(shown);
      // Nothing after the last column: a copied line has no blanks at its end.
      return place === columns.length - 1 ? painted : painted + ' '.repeat(Math.max(0, column.width - widthOf(shown)));
    })
    .join(gap);
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function plain(text: string): string {
  return text;
}
