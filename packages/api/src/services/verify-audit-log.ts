import type { Database } from '@postrider/shared/database/pool';
import { findAuditSuccessor } from '@postrider/shared/database/queries/find-audit-successor';
import { type ChainedAuditRow, listAuditChain } from '@postrider/shared/database/queries/list-audit-chain';
import { listAuditedOrganizations } from '@postrider/shared/database/queries/list-audited-organizations';
import { firstPreviousHash, hashAuditEntry, jsonbText } from '@postrider/shared/domain/audit-entry';
import { auditBatchMax } from '@postrider/shared/domain/limits';

/** An entry as it was kept elsewhere: a chain cannot show by itself that its end was cut off, or that all of it was written anew. */
export interface AuditPin {
  readonly sequence: number;
  /** In hexadecimal. */
  readonly hash: string;
}

/** The first entry of a chain that is not what it should be. */
interface AuditFault {
  readonly sequence: number;
  readonly reason: 'changed' | 'missing' | 're-ordered';
  readonly detail: string;
}

export type AuditVerdict =
  /** The head is the last entry, number 0 for a chain that has none. */
  | { readonly kind: 'intact'; readonly organizationId: string; readonly head: AuditPin }
  | ({ readonly kind: 'broken'; readonly organizationId: string } & AuditFault);

/** Verifies the chains of all organizations, one after another. */
export async function* verifyAuditLog(db: Database): AsyncGenerator<AuditVerdict> {
  for (const organizationId of await listAuditedOrganizations(db)) {
    yield await verifyAuditChain(db, organizationId, null);
  }
}

/**
 * Computes the hashes of a chain anew, here and not in the database, and compares them with what the entries say of themselves and of the
 * entry before them. Reads in batches; entries that are added meanwhile are verified too.
 */
export async function verifyAuditChain(db: Database, organizationId: string, pin: AuditPin | null): Promise<AuditVerdict> {
  let head: AuditPin = { sequence: 0, hash: firstPreviousHash };
  let afterSequence = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = await listAuditChain(db, { organizationId, afterSequence, limit: auditBatchMax });
    for (const row of rows) {
      const fault = (await findFault(db, head, row)) ?? findPinFault(pin, row);
      if (fault) {
        return { kind: 'broken', organizationId, ...fault };
      }
      head = { sequence: Number(row.sequence), hash: row.hash };
      afterSequence = head.sequence;
    }
    if (rows.length < auditBatchMax) {
      break;
    }
  }
  if (pin && pin.sequence > head.sequence) {
    const detail = `the chain ends with entry ${head.sequence}, and entry ${pin.sequence} was known`;
    return { kind: 'broken', organizationId, sequence: head.sequence + 1, reason: 'missing', detail };
  }
  return { kind: 'intact', organizationId, head };
}

/** What is wrong with an entry that should come after the head; null when it does. */
async function findFault(db: Database, head: AuditPin, row: ChainedAuditRow): Promise<AuditFault | null> {
  const sequence = Number(row.sequence);
  const expected = head.sequence + 1;
  const isLinked = row.previous_hash === head.hash;
  const isIntact = hashOf(row) === row.hash;
  if (sequence === expected && isLinked && isIntact) {
    return null;
  }
  const successor = await findAuditSuccessor(db, row.organization_id, head.hash);
  if (successor !== null && successor !== sequence) {
    const detail = `the entry that was written after entry ${head.sequence} stands at ${successor}`;
    return { sequence: expected, reason: 're-ordered', detail };
  }
  if (sequence !== expected && (isIntact || !isLinked)) {
    return { sequence: expected, reason: 'missing', detail: `entry ${head.sequence} is followed by entry ${sequence}` };
  }
  if (!isIntact) {
    return { sequence, reason: 'changed', detail: 'its hash is not that of what it says' };
  }
  const detail = `it was written after another entry ${head.sequence}: one of both was replaced, or entries between them were taken out`;
  return { sequence, reason: 'changed', detail };
}

function findPinFault(pin: AuditPin | null, row: ChainedAuditRow): AuditFault | null {
  return pin !== null && pin.sequence === Number(row.sequence) && pin.hash !== row.hash
    ? { sequence: pin.sequence, reason: 'changed', detail: `its hash was ${pin.hash}: the chain was written anew` }
    : null;
}

/** Null where the digits of a number are not those that JavaScript writes: no entry was ever written with them. */
function hashOf(row: ChainedAuditRow): string | null {
  const changes: unknown = JSON.parse(row.changes);
  if (jsonbText(changes) !== row.changes) {
    return null;
  }
  return hashAuditEntry({
    organizationId: row.organization_id,
    sequence: Number(row.sequence),
    // Hashed are milliseconds: whatever stands behind them was put there later, and stays to be seen.
    recordedAt: row.recorded_at.replace(/000Z$/, 'Z'),
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    ip: row.ip,
    requestId: row.request_id,
    action: row.action,
    targetKind: row.target_kind,
    targetId: row.target_id,
    applicationId: row.application_id,
    changes,
    previousHash: row.previous_hash,
  });
}
