import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../results/', import.meta.url));
const bytesPerGiB = 1024 ** 3;

/** Where something was measured, for the first line of a report and for its file. */
export interface Environment {
  readonly machine: string;
  readonly node: string;
  readonly postgres: string;
  readonly commit: string;
}

export function environmentOf(postgresVersion: string): Environment {
  const memory = Math.round(totalmem() / bytesPerGiB);
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${memory} GiB`,
    node: process.version,
    postgres: postgresVersion,
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', cwd: directory.replace(/results\/$/, '') }).trim(),
  };
}

/** Writes what a scenario measured to `bench/results/<scenario>.json`, with where, how and under which conditions it was measured. */
export function saveResults(scenario: string, environment: Environment, results: unknown, conditions: object = {}): void {
  const command = `pnpm bench ${process.argv.slice(2).join(' ')}`;
  mkdirSync(directory, { recursive: true });
  const record = { ...environment, measuredAt: new Date().toISOString(), command, ...conditions, results };
  writeFileSync(`${directory}${scenario}.json`, `${JSON.stringify(record, null, 2)}\n`);
}
