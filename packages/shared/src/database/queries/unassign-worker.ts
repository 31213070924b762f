import type { Database } from '../pool.ts';
import type { WorkerAssignment } from './assign-worker.ts';

/** Takes a worker from an organization; returns whether it was assigned. */
export async function unassignWorker(db: Database, assignment: WorkerAssignment): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'unassign_worker',
    text: 'delete from webhook.organization_worker where organization_id = $1 and worker_id = $2',
    values: [assignment.organizationId, assignment.workerId],
  });
  return rowCount === 1;
}
