import { createHash } from 'node:crypto';

/** The chain of changes that belong to no organization, such as those of workers. No organization may have this id. */
export const installationId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** What the first entry of a chain names as the hash before it. */
export const firstPreviousHash = '0'.repeat(64);

/** An entry of the audit log, as its hash sees it. */
export interface HashedAuditEntry {
  readonly organizationId: string;
  readonly sequence: number;
  /** RFC 3339 in UTC with milliseconds. */
  readonly recordedAt: string;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly ip: string | null;
  readonly requestId: string | null;
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string;
  readonly applicationId: string | null;
  /** Of JSON. */
  readonly changes: unknown;
  /** In hexadecimal. */
  readonly previousHash: string;
}

/** The hash that an entry must have, in hexadecimal: SHA-256 over its canonical form. */
export function hashAuditEntry(entry: HashedAuditEntry): string {
  return createHash('sha256').update(canonicalAuditEntry(entry)).digest('hex');
}

function canonicalAuditEntry(entry: HashedAuditEntry): string {
  return jsonbText([
    'postrider audit entry 1',
    entry.organizationId,
    entry.sequence,
    entry.recordedAt,
    entry.actorKind,
    entry.actorId,
    entry.ip,
    entry.requestId,
    entry.action,
    entry.targetKind,
    entry.targetId,
    entry.applicationId,
    entry.changes,
    entry.previousHash,
  ]);
}

/**
 * JSON as PostgreSQL writes jsonb: a space after each comma and colon, the members of an object by the length of their name in UTF-8 and
 * then by its bytes. PostgreSQL escapes in strings what `JSON.stringify` does, and keeps the digits of a number that was not made here.
 */
export function jsonbText(value: unknown): string {
  if (value === null || typeof value !== 'object') {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(jsonbText).join(', ')}]`;
  }
  const members = Object.entries(value).toSorted(([a], [b]) => compareNames(Buffer.from(a), Buffer.from(b)));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${jsonbText(member)}`).join(', ')}}`;
}

function compareNames(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b);
}
