import { styleText } from 'node:util';
import { hideSecrets } from './hide-secrets.ts';
import { layOutBlock, layOutTable, type TableColumn } from './table.ts';
import { oneLine, severalLines, textOf, widthOf } from './text.ts';

/** Where text goes. */
export interface Screen {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Of the terminal; null when it is none or does not say. */
  readonly columns: number | null;
}

export interface OutputOptions {
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly isJson: boolean;
  readonly isColoured: boolean;
  readonly showSecrets: boolean;
}

/** A column of a table: where its value stands in a row, and what is special about it. */
export interface Column {
  readonly title: string;
  /** Members to go through, with dots between. */
  readonly path: string;
  /** `text` may be cut and `extra` left out where the terminal is narrow; `state` has a colour. */
  readonly kind?: 'text' | 'extra' | 'state' | undefined;
}

/** Members of a list that one cell of a table has. */
const listedInCellMax = 4;

type Style = 'green' | 'red' | 'yellow' | 'cyan';

const stateStyles: Readonly<Record<string, Style>> = {
  successful: 'green',
  now: 'green',
  never: 'red',
  yes: 'green',
  failed: 'red',
  partially_failed: 'red',
  cancelled: 'red',
  disabled: 'red',
  active: 'green',
  waiting: 'yellow',
  paused: 'yellow',
  held: 'yellow',
  recovering: 'yellow',
  limited: 'yellow',
  pending: 'yellow',
  in_progress: 'cyan',
};

/** Everything that commands print. Standard output has results and nothing else, with `--json` one document; the rest goes to standard error. */
export class Output {
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  get isJson(): boolean {
    return this.#options.isJson;
  }

  /** A list as a table. */
  list(listed: { readonly rows: readonly unknown[]; readonly hasMore: boolean }, columns: readonly Column[]): void {
    const rows = listed.rows.map((row) => this.#shown(row));
    if (this.isJson) {
      this.#json(rows);
    } else if (rows.length === 0) {
      this.note('Nothing to list.');
    } else {
      const cells = rows.map((row) => columns.map(({ path }) => textOf(abridged(memberAt(row, path)))));
      this.#lines(layOutTable(columns.map(this.#tableColumn), cells, this.#tableOptions()));
    }
    if (listed.hasMore) {
      this.note(`There is more: --limit shows more than ${rows.length}.`);
    }
  }

  /** One thing, a member to a line. What has just been made is shown with its secrets: nobody has seen them yet. */
  record(value: unknown, options: { readonly isNew?: boolean; readonly leaveOut?: readonly string[] } = {}): void {
    const shown = options.isNew ? value : this.#shown(value);
    if (this.isJson) {
      this.#json(shown);
      return;
    }
    const members = flatten(shown).filter(([name]) => !options.leaveOut?.includes(name));
    const columns = members.map(([title]) => this.#tableColumn({ title, path: title, kind: kindOf(title) }));
    this.#lines(
      layOutBlock(
        columns,
        members.map(([, member]) => textOf(member)),
        this.#tableOptions(),
      ),
    );
  }

  /** What was done where the API answers nothing: a sentence for people, a document for scripts. */
  done(sentence: string, document: unknown): void {
    if (this.isJson) {
      this.#json(this.#shown(document));
    } else {
      this.#lines([oneLine(sentence)]);
    }
  }

  /** One of a stream: a document on one line, or cells of fixed widths. */
  streamed(document: unknown, cells: readonly { readonly text: string; readonly width: number; readonly isState?: boolean }[]): void {
    if (this.isJson) {
      this.#options.stdout.write(`${JSON.stringify(this.#shown(document))}\n`);
      return;
    }
    const line = cells.map(({ text, width, isState }) => {
      const shown = oneLine(text);
      return (isState ? this.#paintState(shown)(shown) : shown) + ' '.repeat(Math.max(0, width - widthOf(shown)));
    });
    this.#lines([line.join('  ').trimEnd()]);
  }

  /** A text of several lines, such as a body. */
  text(text: string): void {
    const shown = severalLines(text);
    this.#options.stdout.write(shown === '' || shown.endsWith('\n') ? shown : `${shown}\n`);
  }

  /** A remark beside the result. */
  note(text: string): void {
    this.#options.stderr.write(`${severalLines(text)}\n`);
  }

  /** What went wrong. */
  failure(lines: readonly string[]): void {
    const [first = '', ...rest] = lines.map(severalLines);
    const title = `postrider: ${first}`;
    const painted = this.#options.isColoured && this.#options.stderr.isTerminal ? paint('red', title) : title;
    this.#options.stderr.write(`${[painted, ...rest].join('\n')}\n`);
  }

  #shown(value: unknown): unknown {
    return this.#options.showSecrets ? value : hideSecrets(value);
  }

  #json(value: unknown): void {
    this.#options.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  #lines(lines: readonly string[]): void {
    this.#options.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  #tableColumn = ({ title, kind }: Column): TableColumn => ({
    title,
    cuttable: kind === 'text',
    canBeSpared: kind === 'extra',
    ...(kind === 'state' ? { paint: (cell: string) => this.#paintState(cell) } : {}),
  });

  #paintState(state: string): (text: string) => string {
    const style = this.#isPainted() ? stateStyles[state] : undefined;
    return style === undefined ? (text) => text : (text) => paint(style, text);
  }

  #tableOptions() {
    const { stdout } = this.#options;
    return {
      width: stdout.isTerminal ? stdout.columns : null,
      paintTitle: (text: string) => (this.#isPainted() ? paint('bold', text) : text),
    };
  }

  #isPainted(): boolean {
    return this.#options.isColoured && this.#options.stdout.isTerminal;
  }
}

function paint(style: Style | 'bold', text: string): string {
  return styleText(style, text, { validateStream: false });
}

/** A list in a cell has its first few members; --json and `get` have all. */
function abridged(value: unknown): unknown {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.length > listedInCellMax
    ? [...items.slice(0, listedInCellMax - 1), `and ${items.length - listedInCellMax + 1} more`]
    : value;
}

function kindOf(title: string): Column['kind'] {
  return title === 'status' || title === 'status.type' || title === 'is_enabled' ? 'state' : undefined;
}

function memberAt(row: unknown, path: string): unknown {
  let value = row;
  for (const name of path.split('.')) {
    value = typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
  }
  return value;
}

/** Members by name; those of an object within get a line each, maps of the user's stay together. */
function flatten(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
        isStructure(name, member)
          ? flatten(member).map(([inner, each]): [string, unknown] => [`${name}.${inner}`, each])
          : [[name, member]],
      )
    : [['value', value]];
}

function isStructure(name: string, member: unknown): boolean {
  const isMap = typeof member === 'object' && member !== null && !Array.isArray(member) && Object.keys(member).length > 0;
  return isMap && name !== 'labels' && name !== 'metadata';
}
