import { formatSpread, renderTable, spreadOf } from './statistics.ts';

/** What the median of a column should be. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

export interface ResultColumn {
  readonly name: string;
  readonly digits: number;
  readonly target?: Target;
  /** Whether the report draws it. */
  readonly isPlotted?: boolean;
}

export interface ResultRow {
  readonly name: string;
  /** By column, the values of all rounds; none where the column does not apply. */
  readonly cells: readonly (readonly number[])[];
  /** Whether it is there to compare with, and the targets do not apply to it. */
  readonly isReference?: boolean;
}

/** What a scenario measured: one row per case, and every round's value in the cells. */
export interface ResultTable {
  readonly title: string;
  /** How it was measured, in a sentence or two; may be empty. */
  readonly note: string;
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly ResultRow[];
}

/** A round of a case: its values by the names of columns. */
export type Round = Readonly<Record<string, number>>;

/** The row of a case that was measured in some rounds. */
export function rowOf(
  columns: readonly ResultColumn[],
  name: string,
  rounds: readonly Round[],
  options: { readonly isReference?: boolean } = {},
): ResultRow {
  const cells = columns.map((column) => rounds.map((round) => round[column.name]).filter((value) => value !== undefined));
  return { name, cells, ...options };
}

/** In Markdown: medians with the ends beside them, the targets in the heads, and a mark at what misses one. */
export function renderResultTable({ title, note, columns, rows }: ResultTable): string {
  const head = ['', ...columns.map(({ name, target }) => (target ? `${name} (${describeTarget(target)})` : name))];
  const body = rows.map((row) => [row.name, ...columns.map((column, index) => renderCell(column, row, index))]);
  return [`### ${title}`, note, renderTable(head, body)].filter((part) => part !== '').join('\n\n');
}

/** Whether the median of a cell is what the target of its column asks for; true where nothing is asked. */
export function meetsTarget({ target }: ResultColumn, row: ResultRow, index: number): boolean {
  const values = row.cells[index] ?? [];
  if (!target || row.isReference || values.length === 0) {
    return true;
  }
  const { median } = spreadOf(values);
  return 'atMost' in target ? median <= target.atMost : median >= target.atLeast;
}

function describeTarget(target: Target): string {
  return 'atMost' in target ? `target: at most ${target.atMost}` : `target: at least ${target.atLeast}`;
}

function renderCell(column: ResultColumn, row: ResultRow, index: number): string {
  const values = row.cells[index] ?? [];
  if (values.length === 0) {
    return '';
  }
  const text = formatSpread(values, column.digits);
  return meetsTarget(column, row, index) ? text : `${text} **missed**`;
}
