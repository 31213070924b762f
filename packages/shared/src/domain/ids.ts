import { v7 } from 'uuid';

/** A new UUIDv7 (RFC 9562): it carries its creation time, so that new rows land at the right edge of every index. */
export function newId(): string {
  return v7();
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The lower-case form of any 8-4-4-4-12 hexadecimal id, nil and odd version bits included; null for anything else. */
export function normalizeUuid(text: string): string | null {
  return uuidForm.test(text) ? text.toLowerCase() : null;
}

/** The least id, of any kind. */
export const idMin = '00000000-0000-0000-0000-000000000000';
/** The greatest id, of any kind. */
export const idMax = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const idTimeMax = 2 ** 48 - 1;

/** The least UUIDv7 of a time in milliseconds: ids made before are less. */
export function firstIdAt(timeMs: number): string {
  const hex = Math.min(Math.max(Math.floor(timeMs), 0), idTimeMax)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
