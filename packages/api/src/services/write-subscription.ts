import { randomUUID } from 'node:crypto';
import type { Database, DatabasePool } from '@postrider/shared/database/pool';
import { countSubscriptions } from '@postrider/shared/database/queries/count-subscriptions';
import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { holdApplication } from '@postrider/shared/database/queries/hold-application';
import { insertSubscription, type SubscriptionToWrite } from '@postrider/shared/database/queries/insert-subscription';
import { listAllowedWorkers } from '@postrider/shared/database/queries/list-allowed-workers';
import { listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { listSubscriptions, type SubscriptionRow } from '@postrider/shared/database/queries/list-subscriptions';
import { lockApplication } from '@postrider/shared/database/queries/lock-application';
import { lockOrganizationWorkers } from '@postrider/shared/database/queries/lock-organization-workers';
import { lockSubscription } from '@postrider/shared/database/queries/lock-subscription';
import { replaceSubscriptionEventTypes } from '@postrider/shared/database/queries/replace-subscription-event-types';
import { replaceSubscriptionWorkers } from '@postrider/shared/database/queries/replace-subscription-workers';
import { updateSubscription } from '@postrider/shared/database/queries/update-subscription';
import { upsertWorkerPool } from '@postrider/shared/database/queries/upsert-worker-pool';
import { newId } from '@postrider/shared/domain/ids';
import { unlimited } from '@postrider/shared/domain/quotas';
import { type SecretsKey, seal } from '@postrider/shared/secrets/sealed-secret';
import type { Audit } from './audit.ts';

/** A subscription as a client asks for it. */
export interface WantedSubscription extends Omit<SubscriptionToWrite, 'subscriptionId' | 'poolId'> {
  readonly applicationId: string;
  readonly eventTypes: readonly string[];
  /** By name; empty leaves it to the organization's workers, or to all public ones. */
  readonly dedicatedWorkers: readonly string[];
}

/** A subscription that is to be made. */
export interface NewSubscription extends WantedSubscription {
  /** Subscriptions that the application may have. */
  readonly limit: number;
}

export type WriteResult =
  | { readonly kind: 'written'; readonly subscriptionId: string }
  | { readonly kind: 'application_missing' }
  | { readonly kind: 'too_many'; readonly limit: number }
  | { readonly kind: 'subscription_missing' }
  | { readonly kind: 'event_types_missing'; readonly names: readonly string[] }
  | { readonly kind: 'workers_not_allowed'; readonly names: readonly string[] };

/** Creates a subscription with a random secret. */
export function createSubscription(
  db: DatabasePool,
  audit: Audit,
  secretsKey: SecretsKey,
  { limit, ...wanted }: NewSubscription,
): Promise<WriteResult> {
  const subscriptionId = newId();
  const secretSealed = seal(secretsKey, randomUUID(), `subscription:${subscriptionId}`);
  return write(db, audit, wanted, {
    subscriptionId,
    isNew: true,
    limit,
    writeRow: (transaction, poolId) => insertSubscription(transaction, { ...wanted, subscriptionId, poolId, secretSealed }),
  });
}

/** Writes a subscription anew; its secret stays. */
export function changeSubscription(
  db: DatabasePool,
  audit: Audit,
  subscriptionId: string,
  wanted: WantedSubscription,
): Promise<WriteResult> {
  return write(db, audit, wanted, {
    subscriptionId,
    isNew: false,
    limit: unlimited,
    writeRow: (transaction, poolId) => updateSubscription(transaction, { ...wanted, subscriptionId, poolId }),
  });
}

/** Deletes a subscription; its attempts are left to be settled. False when the application has none of this id. */
export function removeSubscription(db: DatabasePool, audit: Audit, applicationId: string, subscriptionId: string): Promise<boolean> {
  return db.transaction(async (transaction) => {
    const before = (await lockSubscription(transaction, subscriptionId)) ? await find(transaction, subscriptionId) : null;
    if (!(await deleteSubscription(transaction, applicationId, subscriptionId))) {
      return false;
    }
    await audit(transaction, { owner: { applicationId }, target: { kind: 'subscription', id: subscriptionId }, before, after: null });
    return true;
  });
}

interface Writing {
  readonly subscriptionId: string;
  readonly isNew: boolean;
  readonly limit: number;
  readonly writeRow: (transaction: Database, poolId: number) => Promise<void>;
}

function write(db: DatabasePool, audit: Audit, wanted: WantedSubscription, writing: Writing): Promise<WriteResult> {
  const { applicationId } = wanted;
  const { subscriptionId, isNew, limit, writeRow } = writing;
  const isLimited = limit < unlimited;
  return db.transaction(async (transaction) => {
    // Authorized a moment ago, and deleted since: a subscription that is written now would be delivered to for ever.
    // Whoever counts holds the application alone, so that of two who count at once one sees what the other made.
    const isHeld = isLimited
      ? (await lockApplication(transaction, applicationId)) !== undefined
      : await holdApplication(transaction, applicationId);
    if (!isHeld) {
      return { kind: 'application_missing' };
    }
    if (isLimited && (await countSubscriptions(transaction, applicationId)) >= limit) {
      return { kind: 'too_many', limit };
    }
    const known = new Set((await listEventTypes(transaction, applicationId, wanted.eventTypes)).map((row) => row.event_type_name));
    const missing = wanted.eventTypes.filter((name) => !known.has(name));
    if (missing.length > 0) {
      return { kind: 'event_types_missing', names: missing };
    }
    // A change of the organization's workers moves the subscriptions that it sees: unlocked, it would miss this one.
    await lockOrganizationWorkers(transaction, applicationId);
    const allowed = await listAllowedWorkers(transaction, applicationId);
    const notAllowed = wanted.dedicatedWorkers.filter((name) => !allowed.some((worker) => worker.name === name));
    if (notAllowed.length > 0) {
      return { kind: 'workers_not_allowed', names: notAllowed };
    }
    // After the organization, as a change of its workers does it.
    if (!isNew && !(await lockSubscription(transaction, subscriptionId))) {
      return { kind: 'subscription_missing' };
    }
    const before = await find(transaction, subscriptionId);
    const dedicated = allowed.filter(({ name }) => wanted.dedicatedWorkers.includes(name));
    const serving = dedicated.length > 0 ? dedicated : allowed.filter((worker) => worker.is_assigned);
    await writeRow(transaction, await upsertWorkerPool(transaction, idsOf(serving)));
    await replaceSubscriptionEventTypes(transaction, { ...wanted, subscriptionId });
    await replaceSubscriptionWorkers(transaction, subscriptionId, idsOf(dedicated));
    const after = await find(transaction, subscriptionId);
    await audit(transaction, { owner: { applicationId }, target: { kind: 'subscription', id: subscriptionId }, before, after });
    return { kind: 'written', subscriptionId };
  });
}

/** A subscription as somebody wrote it: what workers say about its receiver is nobody's change. */
async function find(db: Database, subscriptionId: string): Promise<Partial<SubscriptionRow> | null> {
  const [row] = await listSubscriptions(db, { subscriptionId });
  if (!row) {
    return null;
  }
  const { held_by: _heldBy, hold_until: _holdUntil, receiver_failures: _failures, failing_since: _failingSince, ...written } = row;
  return written;
}

function idsOf(workers: readonly { readonly worker_id: string }[]): string[] {
  return workers.map((worker) => worker.worker_id);
}
