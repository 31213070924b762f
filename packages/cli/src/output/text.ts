import stringWidth from 'string-width';

/** Control characters, and those that turn the order of writing around: what a stranger wrote must not steer the terminal. */
const steering = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const steeringButLines = /(?![\n\t])[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Text for one line. */
export function oneLine(text: string): string {
  return text.toWellFormed().replaceAll(steering, escape);
}

/** Text that may have several lines. */
export function severalLines(text: string): string {
  return text.toWellFormed().replaceAll('\r\n', '\n').replaceAll(steeringButLines, escape);
}

function escape(character: string): string {
  const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return known ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** How many columns of a terminal a text takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Cuts a text to `width` columns, between characters as people see them. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) {
    return text;
  }
  let cut = '';
  let taken = 1;
  for (const { segment } of graphemes.segment(text)) {
    taken += widthOf(segment);
    if (taken > width) {
      break;
    }
    cut += segment;
  }
  return `${cut}…`;
}

/** A JSON value as a person reads it in a cell. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) {
    return '-';
  }
  switch (typeof value) {
    case 'string':
      return oneLine(shortTime(value));
    case 'boolean':
      return value ? 'yes' : 'no';
    case 'object':
      return Array.isArray(value) ? textOfList(value) : textOfMap(Object.entries(value));
    default:
      return oneLine(JSON.stringify(value) ?? '-');
  }
}

function textOfList(items: readonly unknown[]): string {
  return items.length === 0 ? '-' : items.map(textOf).join(', ');
}

function textOfMap(entries: readonly (readonly [string, unknown])[]): string {
  return entries.length === 0 ? '-' : entries.map(([key, value]) => `${oneLine(key)}=${textOf(value)}`).join(' ');
}

/** Timestamps without what the eye does not need: their milliseconds. */
function shortTime(text: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(text) ? `${text.slice(0, 19)}Z` : text;
}
