import type { DatabasePool } from '@postrider/shared/database/pool';
import { deleteWorker } from '@postrider/shared/database/queries/delete-worker';
import { insertWorker, type WorkerToWrite } from '@postrider/shared/database/queries/insert-worker';
import type { WorkerRow } from '@postrider/shared/database/queries/list-workers';
import { lockWorker } from '@postrider/shared/database/queries/lock-worker';
import { updateWorker } from '@postrider/shared/database/queries/update-worker';
import { installationId } from '@postrider/shared/domain/audit-entry';
import type { Audit } from './audit.ts';

/** Registers a worker. Fails on worker_name_key when the name is taken. */
export function createWorker(db: DatabasePool, audit: Audit, worker: WorkerToWrite): Promise<WorkerRow> {
  return db.transaction(async (transaction) => {
    const after = await insertWorker(transaction, worker);
    await audit(transaction, { ...about(worker.workerId), before: null, after });
    return after;
  });
}

/** Writes a worker anew; undefined when there is none. Fails on worker_name_key when the name is taken. */
export function changeWorker(db: DatabasePool, audit: Audit, worker: WorkerToWrite): Promise<WorkerRow | undefined> {
  return db.transaction(async (transaction) => {
    const before = await lockWorker(transaction, worker.workerId);
    const after = before && (await updateWorker(transaction, worker));
    if (before && after) {
      await audit(transaction, { ...about(worker.workerId), before, after });
    }
    return after;
  });
}

/** Deletes a worker. False when there is none, or when something is assigned to it. */
export function removeWorker(db: DatabasePool, audit: Audit, workerId: string): Promise<boolean> {
  return db.transaction(async (transaction) => {
    const before = await lockWorker(transaction, workerId);
    if (!before || !(await deleteWorker(transaction, workerId))) {
      return false;
    }
    await audit(transaction, { ...about(workerId), before, after: null });
    return true;
  });
}

/** Workers belong to no organization, and so do their entries. */
function about(workerId: string) {
  return { owner: { organizationId: installationId }, target: { kind: 'worker', id: workerId } };
}
