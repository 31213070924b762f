import type { Database, DatabasePool } from '@postrider/shared/database/pool';
import { assignWorker, type WorkerAssignment } from '@postrider/shared/database/queries/assign-worker';
import { listWorkers } from '@postrider/shared/database/queries/list-workers';
import { lockOrganization } from '@postrider/shared/database/queries/lock-organization';
import { moveOrganizationSubscriptions } from '@postrider/shared/database/queries/move-organization-subscriptions';
import { unassignWorker } from '@postrider/shared/database/queries/unassign-worker';
import { upsertWorkerPool } from '@postrider/shared/database/queries/upsert-worker-pool';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import type { Audit } from './audit.ts';
import { settleSubscriptions } from './settle-subscription.ts';

/** Lets a worker deliver for an organization; its subscriptions without workers of their own follow. False when either is unknown. */
export function assignOrganizationWorker(
  db: DatabasePool,
  notifier: WakeUpNotifier,
  audit: Audit,
  assignment: WorkerAssignment,
): Promise<boolean> {
  return change(db, notifier, audit, assignment, (transaction) => assignWorker(transaction, assignment));
}

/** Ends an assignment; without any left, public workers deliver. False when there was none. */
export function unassignOrganizationWorker(
  db: DatabasePool,
  notifier: WakeUpNotifier,
  audit: Audit,
  assignment: WorkerAssignment,
): Promise<boolean> {
  return change(db, notifier, audit, assignment, (transaction) => unassignWorker(transaction, assignment));
}

async function change(
  db: DatabasePool,
  notifier: WakeUpNotifier,
  audit: Audit,
  { organizationId, workerId }: WorkerAssignment,
  write: (transaction: Database) => Promise<boolean>,
): Promise<boolean> {
  const moved = await db.transaction(async (transaction) => {
    // Two changes at once would each compute the pool without the other's worker.
    await lockOrganization(transaction, organizationId);
    const before = await listWorkers(transaction, organizationId);
    if (!(await write(transaction))) {
      return null;
    }
    const workers = await listWorkers(transaction, organizationId);
    const poolId = await upsertWorkerPool(
      transaction,
      workers.map(({ worker_id: id }) => id),
    );
    const movedIds = await moveOrganizationSubscriptions(transaction, organizationId, poolId);
    await audit(transaction, {
      owner: { organizationId },
      target: { kind: 'worker', id: workerId },
      before: { workers: namesOf(before) },
      after: { workers: namesOf(workers) },
    });
    return movedIds;
  });
  await settleSubscriptions(db, notifier, moved ?? []);
  return moved !== null;
}

function namesOf(workers: readonly { readonly name: string }[]): string[] {
  return workers.map(({ name }) => name);
}
