import type { Database } from '../pool.ts';

/** Marks a worker that nothing is assigned to as deleted; returns whether it did. */
export async function deleteWorker(db: Database, workerId: string): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'delete_worker', text: sql, values: [workerId] });
  return rowCount === 1;
}

const sql = `
update webhook.worker w
set deleted_at = statement_timestamp()
where w.worker_id = $1 and w.deleted_at is null
  and not exists (select from webhook.organization_worker o where o.worker_id = w.worker_id)
  and not exists (
    select from webhook.subscription_worker sw
    join webhook.subscription s on s.subscription_id = sw.subscription_id
    where sw.worker_id = w.worker_id and s.deleted_at is null
  )
`;
