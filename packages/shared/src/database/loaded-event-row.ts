import type { TextRow } from './pool.ts';

/** What a delivery sends of an event. */
export interface LoadedEvent {
  readonly payload: Buffer;
  readonly payloadContentType: string;
}

/**
 * The columns of an event `e`, which says with `is_text` how its payload travels: JSON as the text that it is, since as hexadecimal it would be
 * twice as long, and be written and read digit by digit.
 */
export const loadedEventColumns =
  "case when e.is_text then convert_from(e.payload, 'UTF8') end, case when not e.is_text then encode(e.payload, 'hex') end, e.payload_content_type";

/** Reads these columns, the first of which stands at `from`. */
export function loadedEvent(row: TextRow, from: number): LoadedEvent {
  const text = row[from];
  const payload = typeof text === 'string' ? Buffer.from(text) : Buffer.from(row[from + 1] ?? '', 'hex');
  return { payload, payloadContentType: row[from + 2] ?? '' };
}
