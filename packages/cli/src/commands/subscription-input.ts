import type { CommandContext } from '../command.ts';
import { UsageError } from '../failures.ts';
import { membersOf, type Row } from '../http/api.ts';

/** Headers from `Name: value`; a name given again makes a list. */
export function readHeaders(lines: readonly string[]): Record<string, string | string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value = ''] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      throw new UsageError('--header: wanted name: value');
    }
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return Object.fromEntries([...headers].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}

/** The members of a JSON object that is given as text, or by `@` and the name of a file. */
export async function readMore({ readInput }: Pick<CommandContext, 'readInput'>, given: string | undefined): Promise<Row> {
  if (given === undefined) {
    return {};
  }
  const text = given.startsWith('@') ? (await readInput(given.slice(1))).toString() : given;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError('--more: wanted JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('--more: wanted a JSON object');
  }
  return membersOf(value);
}

/** What only the API writes, and forms of labels that an older client would send instead of `labels`. */
const notWritten: ReadonlySet<string> = new Set([
  'subscription_id',
  'secret',
  'standard_webhooks_secret',
  'label_key',
  'label_value',
  'created_at',
  'updated_at',
  'disabled_reason',
  'warnings',
]);

/** What PUT takes to leave a subscription as GET read it, but for `changes`: members that we do not know are sent back as they came. */
export function rewritten(subscription: Row, changes: Row): Row {
  const kept = Object.entries(subscription)
    .filter(([name]) => !notWritten.has(name))
    // The API demands at least one worker where there is a list.
    .map(([name, value]) => [name, name === 'dedicated_workers' && Array.isArray(value) && value.length === 0 ? null : value] as const);
  return { ...Object.fromEntries(kept), ...changes };
}
