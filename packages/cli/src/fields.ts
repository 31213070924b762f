import { z } from 'zod';
import { field } from './command.ts';

/** Rows of a list that the API serves page by page. */
const pagedLimit = 100;

/** What a request attempt can be. */
export const attemptStatuses = ['waiting', 'pending', 'in_progress', 'successful', 'failed'] as const;

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, { error: 'wanted an id such as 0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d' });
const count = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, { error: 'wanted a whole number of at least 1' })
  .transform(Number);
const keyValue = z.string().regex(/^[^=]+=/, { error: 'wanted key=value' });
const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m` for fifteen minutes. */
const duration = z
  .string()
  .regex(/^\d{1,9}[smhd]$/, { error: 'wanted a duration such as 30s, 15m, 2h or 7d' })
  .transform((text) => Number(text.slice(0, -1)) * (unitMs[text.slice(-1)] ?? 0));

/** A point in time, or how long ago it was. */
const timeOrAgo = z.string().transform((text, context) => {
  const ago = duration.safeParse(text);
  const time = ago.success ? Date.now() - ago.data : Date.parse(text);
  // A number alone is a year to Date, and hardly meant so.
  if (Number.isNaN(time) || !/[-smhd]/.test(text)) {
    context.addIssue({ code: 'custom', message: 'wanted a time such as 2026-05-01T12:00:00Z, or how long ago: 30s, 15m, 2h, 7d' });
    return z.NEVER;
  }
  return new Date(time).toISOString();
});

/** An id as an argument: `<subscription>`. */
export function idArgument(what: string, summary: string) {
  return field(uuid, `<${what}>`, summary);
}

/** An id as an option that can be left out. */
export function idOption(what: string, summary: string) {
  return field(uuid.optional(), `--${what} <id>`, summary);
}

/** Several ids. */
export function idsOption(what: string, summary: string) {
  return field(z.array(uuid).default([]), `--${what} <id>`, summary, { isRepeated: true });
}

/** A text that can be left out. */
export function textOption(flags: string, summary: string) {
  return field(z.string().optional(), flags, summary);
}

/** Texts, each given by itself. */
export function textsOption(flags: string, summary: string) {
  return field(z.array(z.string()).default([]), flags, `${summary}; can be repeated`, { isRepeated: true });
}

/** One of a few words. */
export function choiceOption<const W extends readonly [string, ...string[]]>(flags: string, words: W, summary: string) {
  return field(z.enum(words, { error: `wanted ${words.join(', ')}` }).optional(), flags, `${summary}: ${words.join(', ')}`);
}

/** Several of a few words. */
export function choicesOption<const W extends readonly [string, ...string[]]>(flags: string, words: W, summary: string) {
  const word = z.enum(words, { error: `wanted ${words.join(', ')}` });
  return field(z.array(word).default([]), flags, `${summary}: ${words.join(', ')}; can be repeated`, { isRepeated: true });
}

/** A switch. */
export function flag(flags: string, summary: string) {
  return field(z.boolean().default(false), flags, summary);
}

/** A map of texts from `key=value`. */
export function mapOption(flags: string, summary: string) {
  return field(z.array(keyValue).default([]).transform(readMap), flags, `${summary}; can be repeated`, { isRepeated: true });
}

/** The same as the API's filters take it. */
export function keyValuesOption(flags: string, summary: string) {
  return field(z.array(keyValue).default([]), flags, `${summary}; can be repeated`, { isRepeated: true });
}

/** A point in time, or how long ago. */
export function timeOption(flags: string, summary: string) {
  return field(timeOrAgo.optional(), flags, `${summary}: a time, or how long ago (15m, 2h, 7d)`);
}

/** How long from now. */
export function durationOption(flags: string, summary: string) {
  return field(duration.optional(), flags, `${summary}: 30s, 15m, 2h, 7d`);
}

/** A number with a default. */
export function countOption(flags: string, summary: string, byDefault: number) {
  return field(count.default(byDefault), flags, `${summary} (default ${byDefault})`);
}

/** Of lists that the API pages. */
export const limit = countOption('--limit <rows>', 'rows at most, over as many pages as it takes', pagedLimit);
/** Of lists that the API gives whole. */
export const wholeLimit = field(count.default(Number.MAX_SAFE_INTEGER), '--limit <rows>', 'rows at most (all otherwise)');

export const application = idOption('application', 'the application (POSTRIDER_APPLICATION otherwise)');
export const organization = idOption('organization', 'the organization (POSTRIDER_ORGANIZATION otherwise)');

function readMap(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
