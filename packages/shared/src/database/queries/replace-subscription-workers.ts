import type { Database } from '../pool.ts';

/** Makes these the dedicated workers of a subscription. */
export async function replaceSubscriptionWorkers(db: Database, subscriptionId: string, workerIds: readonly string[]): Promise<void> {
  await db.query({ name: 'replace_subscription_workers', text: sql, values: [subscriptionId, workerIds] });
}

const sql = `
with removed as (
  delete from webhook.subscription_worker where subscription_id = $1 and worker_id <> all ($2::uuid[])
)
insert into webhook.subscription_worker (subscription_id, worker_id)
select distinct $1::uuid, id from unnest($2::uuid[]) as id
on conflict on constraint subscription_worker_pkey do nothing
`;
