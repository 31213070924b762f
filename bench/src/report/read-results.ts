import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { ResultTable } from '../result-table.ts';
import { readGroups, readLists, readMass, readQueries } from './older-results.ts';

/** What a scenario measured, where and when. */
export interface ScenarioResult {
  readonly name: string;
  readonly machine: string;
  readonly node: string;
  readonly postgres: string;
  readonly commit: string;
  readonly measuredAt: string;
  readonly command: string;
  readonly tables: readonly ResultTable[];
}

const recordSchema = z
  .object({
    machine: z.string(),
    node: z.string(),
    postgres: z.string().optional(),
    postgresql: z.string().optional(),
    commit: z.string(),
    measuredAt: z.string().optional(),
    at: z.string().optional(),
    command: z.string(),
    results: z.unknown(),
  })
  .transform(({ postgres, postgresql, measuredAt, at, ...rest }) => ({
    ...rest,
    postgres: postgres ?? postgresql ?? '',
    measuredAt: measuredAt ?? at ?? '',
  }));

const targetSchema = z.union([z.object({ atMost: z.number() }), z.object({ atLeast: z.number() })]);
const tablesSchema = z.object({
  tables: z.array(
    z.object({
      title: z.string(),
      note: z.string(),
      columns: z.array(
        z.object({ name: z.string(), digits: z.number(), target: targetSchema.exactOptional(), isPlotted: z.boolean().exactOptional() }),
      ),
      rows: z.array(z.object({ name: z.string(), cells: z.array(z.array(z.number())), isReference: z.boolean().exactOptional() })),
    }),
  ),
});

const readers: readonly ((results: unknown) => readonly ResultTable[] | null)[] = [
  (results) => tablesSchema.safeParse(results).data?.tables ?? null,
  readGroups,
  readLists,
  readMass,
  readQueries,
];

/** All results in a directory, by the names of their scenarios; what has a form that nobody knows is told of and left out. */
export function readResults(directory: string, print: (line: string) => void): ScenarioResult[] {
  const results: ScenarioResult[] = [];
  for (const file of readdirSync(directory).toSorted()) {
    if (file.endsWith('.json')) {
      const result = readResult(basename(file, '.json'), readFileSync(join(directory, file), 'utf8'));
      if (result) {
        results.push(result);
      } else {
        print(`${file} is left out: its form is not known.`);
      }
    }
  }
  return results;
}

/** The result that a file holds; null when its form is not known. */
export function readResult(name: string, text: string): ScenarioResult | null {
  const record = recordSchema.safeParse(JSON.parse(text)).data;
  const tables = record && readers.map((read) => read(record.results)).find((read) => read !== null);
  if (!record || !tables) {
    return null;
  }
  const { results: _results, ...where } = record;
  return { name, ...where, tables };
}
