import { z } from 'zod';
import type { ResultColumn, ResultTable } from '../result-table.ts';

/** Results of the scenarios that save their measurements as they are, made into tables. */

const numbersSchema = z.record(z.string(), z.number().nullable());
const groupsSchema = z.record(z.string(), z.record(z.string(), z.array(numbersSchema)));
const namedSchema = z.record(z.string(), z.union([z.number(), z.string()]));
const listsSchema = z.record(z.string(), z.array(namedSchema));
const massSchema = z.array(z.object({ change: z.string(), measurements: z.array(numbersSchema) }));
const queriesSchema = z.array(z.object({ name: z.string(), rows: z.number(), minMs: z.number(), p50Ms: z.number(), p99Ms: z.number() }));

/** Some settings, for each some contenders, for each the measurements of all rounds. */
export function readGroups(results: unknown): ResultTable[] | null {
  const groups = groupsSchema.safeParse(results).data;
  if (!groups) {
    return null;
  }
  return Object.entries(groups).map(([title, contenders]) => tableOf({ title, plotted: ['perSecond'] }, Object.entries(contenders)));
}

/** Some settings, for each a list of things that were measured once; their first text is their name. */
export function readLists(results: unknown): ResultTable[] | null {
  const lists = listsSchema.safeParse(results).data;
  if (!lists) {
    return null;
  }
  return Object.entries(lists).map(([title, list]) =>
    tableOf(
      { title, plotted: ['milliseconds'] },
      list.map((item) => [nameOf(item), [numbersOf(item)]]),
    ),
  );
}

export function readMass(results: unknown): ResultTable[] | null {
  const changes = massSchema.safeParse(results).data;
  if (!changes) {
    return null;
  }
  const rows = changes.map(({ change, measurements }): MeasuredRow => [change, measurements]);
  return [tableOf({ title: 'Changes amid open attempts', plotted: ['answerMs', 'settledMs'] }, rows)];
}

export function readQueries(results: unknown): ResultTable[] | null {
  const queries = queriesSchema.safeParse(results).data;
  if (!queries) {
    return null;
  }
  const rows = queries.map(({ name, ...numbers }): MeasuredRow => [name, [numbers]]);
  return [tableOf({ title: 'Answers over HTTP', plotted: ['p50Ms', 'p99Ms'] }, rows)];
}

type Numbers = Readonly<Record<string, number | null>>;
type MeasuredRow = readonly [name: string, rounds: readonly Numbers[]];

function tableOf({ title, plotted }: { title: string; plotted: readonly string[] }, rows: readonly MeasuredRow[]): ResultTable {
  const keys = [...new Set(rows.flatMap(([, rounds]) => rounds.flatMap((round) => Object.keys(round))))];
  const columns = keys.map((key): ResultColumn => {
    const longest = Math.max(...rows.flatMap(([, rounds]) => valuesOf(key, rounds)));
    return { name: inWords(key), digits: digitsFor(longest), isPlotted: plotted.includes(key) };
  });
  return { title, note: '', columns, rows: rows.map(([name, rounds]) => ({ name, cells: keys.map((key) => valuesOf(key, rounds)) })) };
}

function valuesOf(key: string, rounds: readonly Numbers[]): number[] {
  return rounds.map((round) => round[key] ?? null).filter((value) => value !== null);
}

/** `claimP99Ms` as `claim p99 ms`. */
function inWords(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function digitsFor(longest: number): number {
  if (longest >= 1000) {
    return 0;
  }
  return longest >= 10 ? 1 : 2;
}

function nameOf(item: Readonly<Record<string, number | string>>): string {
  return Object.values(item).find((value) => typeof value === 'string') ?? '';
}

function numbersOf(item: Readonly<Record<string, number | string>>): Numbers {
  return Object.fromEntries(Object.entries(item).flatMap(([key, value]) => (typeof value === 'number' ? [[key, value]] : [])));
}
