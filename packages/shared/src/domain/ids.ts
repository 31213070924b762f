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
