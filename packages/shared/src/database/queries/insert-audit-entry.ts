import type { Transaction } from '../pool.ts';

export interface AuditEntryToInsert {
  /** One of both says whose entry it is; an application's is its organization's. */
  readonly organizationId: string | null;
  readonly applicationId: string | null;
  readonly actorKind: 'master' | 'application_secret' | 'service_token' | 'system';
  readonly actorId: string | null;
  readonly ip: string | null;
  readonly requestId: string | null;
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string;
  /** Of JSON. */
  readonly changes: object;
}

/** Adds an entry to its organization's chain, whose lock is held from here to the end of the transaction. */
export async function insertAuditEntry(transaction: Transaction, entry: AuditEntryToInsert): Promise<void> {
  await transaction.query({
    name: 'insert_audit_entry',
    text: sql,
    values: [
      entry.organizationId,
      entry.applicationId,
      entry.actorKind,
      entry.actorId,
      entry.ip,
      entry.requestId,
      entry.action,
      entry.targetKind,
      entry.targetId,
      JSON.stringify(entry.changes),
    ],
  });
}

// The trigger of the table gives number, time and hashes. Without an organization the entry, and so its change, is refused.
const sql = `
insert into iam.audit_log (organization_id, application_id, actor_kind, actor_id, ip, request_id, action, target_kind, target_id, changes)
values (coalesce($1::uuid, (select a.organization_id from event.application a where a.application_id = $2)),
        $2, $3, $4, $5, $6, $7, $8, $9, $10)
`;
