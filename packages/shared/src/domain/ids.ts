import { randomFillSync } from 'node:crypto';
import { stringify, v7 } from 'uuid';

const bytesPerId = 16;
/** Random bytes for ids to come: asking for them one id at a time costs more than all the rest of making it. */
const randomBytes = new Uint8Array(256 * bytesPerId);
/** Those of each id. Views that stay, as the id's own bytes do: an array of bytes costs more to make than to fill. */
const randomParts = Array.from({ length: 256 }, (_, index) => randomBytes.subarray(index * bytesPerId, (index + 1) * bytesPerId));
const idBytes = new Uint8Array(bytesPerId);
let randomPartsUsed = randomParts.length;
let lastMs = 0;
let sequence = 0;

/**
 * A new UUIDv7 (RFC 9562): it carries its creation time, so that new rows land at the right edge of every index. Ids of one process increase,
 * those of one millisecond too.
 */
export function newId(): string {
  const random = nextRandomBytes();
  // oxlint-disable-next-line no-restricted-globals -- an id is made of the time and of chance, and nobody decides by either
  const nowMs = Date.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    // Half of its range is left to count up in.
    sequence = new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1;
  } else {
    sequence += 1;
  }
  return stringify(v7({ random, msecs: lastMs, seq: sequence }, idBytes));
}

function nextRandomBytes(): Uint8Array {
  let part = randomParts[randomPartsUsed];
  if (!part) {
    randomFillSync(randomBytes);
    part = randomParts[0] ?? randomBytes;
    randomPartsUsed = 0;
  }
  randomPartsUsed += 1;
  return part;
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
