import type { Transaction } from '@postrider/shared/database/pool';
import { type AuditEntryToInsert, insertAuditEntry } from '@postrider/shared/database/queries/insert-audit-entry';
import { describeChanges } from './describe-changes.ts';

/** Who asks for changes: kind and id, never a token. */
export type AuditActor =
  | { readonly kind: 'master' | 'system'; readonly id: null }
  | { readonly kind: 'application_secret' | 'service_token'; readonly id: string };

/** Where the changes of one request come from. */
export interface AuditOrigin {
  readonly actor: AuditActor;
  readonly ip: string | null;
  readonly requestId: string | null;
  /** The name of the operation, such as `subscriptions.create`. */
  readonly action: string;
}

/** One change of one thing. */
export interface AuditedChange {
  /** Whose chain the entry belongs to: an organization's, or that of the application's organization. */
  readonly owner: { readonly organizationId: string } | { readonly applicationId: string };
  readonly target: { readonly kind: string; readonly id: string };
  /** Null when it did not exist. */
  readonly before: object | null;
  /** Null when it does not exist any more. */
  readonly after: object | null;
}

/**
 * Writes the entry of a change into the audit log; nothing when both sides are the same. The last statement of the transaction that makes
 * the change: other changes of the organization wait from here to its end, and whoever locked a row after this could wait for one of them.
 */
export type Audit = (transaction: Transaction, change: AuditedChange) => Promise<void>;

/** Audits the changes of one request. */
export function createAudit({ actor, ip, requestId, action }: AuditOrigin): Audit {
  return async (transaction, { owner, target, before, after }) => {
    const changes = describeChanges(before, after);
    if (before && after && Object.keys(changes).length === 0) {
      return;
    }
    const entry: AuditEntryToInsert = {
      organizationId: 'organizationId' in owner ? owner.organizationId : null,
      applicationId: 'applicationId' in owner ? owner.applicationId : null,
      actorKind: actor.kind,
      actorId: actor.id,
      // The zone of a link-local address means something to this machine only, and inet does not take it.
      ip: ip === null ? null : ip.replace(/%.*$/, ''),
      requestId,
      action,
      targetKind: target.kind,
      targetId: target.id,
      changes,
    };
    await insertAuditEntry(transaction, entry);
  };
}
