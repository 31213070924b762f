import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderResultTable } from '../result-table.ts';
import { plotTable } from './plot.ts';
import { readResults, type ScenarioResult } from './read-results.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = 'docs/benchmarks.md';
const plots = 'docs/benchmarks';

/** What each scenario asks, in the order of the page; those that are not here come after. */
const questions: Readonly<Record<string, string>> = {
  delivery: 'How many deliveries a second does one worker make, beside what the machine can send and beside other designs?',
  latency: 'How soon is an event at its receiver, and what do idle workers cost?',
  flow: 'What do an API and a worker reach together, and how much memory do they take?',
  ingest:
    'How many events a second does an API take one by one, beside the least that a server can be, and how late is it at half of that?',
  batches: 'What is saved by sending many events at a time?',
  limits: 'What do rate limits and quotas cost?',
  growth: 'Do claims stay as fast when millions of attempts are finished, wait or are due, or when somebody holds a transaction open?',
  scale: 'Do more workers on one queue get into each other’s way?',
  isolation: 'Do receivers that hang, or one with a long backlog, make the others wait?',
  rate: 'Is the rate of a subscription kept by several workers together?',
  recovery: 'What does a killed worker or database leave behind, and how soon does it go on?',
  mass: 'How soon does a mass change answer and end, and do others notice?',
  queries: 'How long do lists, items and reports take over a long history?',
  plans: 'Do the statements of the queue read no more of it than their rows?',
};

/** Writes docs/benchmarks.md and its plots from all results that there are. */
export function writeReport(print: (line: string) => void): void {
  const order = Object.keys(questions);
  const place = ({ name }: ScenarioResult): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const results = readResults(`${root}bench/results`, print).toSorted((a, b) => place(a) - place(b));
  rmSync(root + plots, { recursive: true, force: true });
  mkdirSync(root + plots, { recursive: true });
  const sections = results.map(renderSection);
  writeFileSync(root + page, format(`${introduction}\n\n${sections.join('\n\n')}\n`));
  print(`${page}: ${results.map(({ name }) => name).join(', ')}`);
}

function renderSection({ name, machine, node, postgres, commit, measuredAt, command, tables }: ScenarioResult): string {
  const parts = tables.map((table, index) => {
    const svg = plotTable(table);
    if (svg === null) {
      return renderResultTable(table);
    }
    const file = `${name}-${index + 1}.svg`;
    writeFileSync(`${root}${plots}/${file}`, svg);
    return `${renderResultTable(table)}\n\n![${table.title}](benchmarks/${file})`;
  });
  const where = `\`${command}\`, ${measuredAt.slice(0, 10)}, commit ${commit}: ${machine}, Node ${node}, PostgreSQL ${postgres}.`;
  return [`## ${name}`, questions[name] ?? '', where, ...parts].filter((part) => part !== '').join('\n\n');
}

const introduction = `# Benchmarks

Made by \`pnpm bench report\` from \`bench/results\`; do not edit.

## How to read them

Cells are medians of the rounds, with the smallest and the largest beside them. Bars are medians, the thin lines the spread, dashed lines the
target; pale bars are there to compare with, and what misses its target is marked. Rates depend on the machine and on what else it does: the
ratios between rows of one table, which were measured in turns in the same run, say more. Worker, database, receiver and the load share the
machine, so rates are lower than with one for each. Where a scenario watches the machine, rounds do not count in which other guests of the same
host took more than a twentieth of the processors' time, or, where latency is measured that waits for the disk, a write of 8 KiB took longer than
50 ms to reach it; how many and what happened in them stands beside the table, and what was measured in them in the scenario's file. The database
waits for its disk (\`fsync\`, \`synchronous_commit\` on), and processes are those that ship, as the container image starts them.

## How to repeat them

\`\`\`sh
pnpm install
pnpm bench latency       # or growth, scale, recovery: --quick takes half a minute, --rounds says how often all is measured
pnpm bench report        # writes this page
\`\`\`

On Linux, on a machine that does nothing else. A scenario starts all that it needs, a PostgreSQL of its own too, and leaves nothing behind but
\`bench/results/<scenario>.json\`. It receives with nginx where that is installed. \`--quick\` shows that a scenario works: its sizes are too small for
figures. \`pnpm bench --help\` lists all scenarios.`;

/** As `pnpm format` leaves it. */
function format(text: string): string {
  const biome = `${root}node_modules/@biomejs/biome/bin/biome`;
  return execFileSync(process.execPath, [biome, 'format', `--stdin-file-path=${page}`], { cwd: root, input: text, encoding: 'utf8' });
}
