import type { Database } from '../pool.ts';

/** Lets go of all parked subscriptions that a process has, so that others take them at once. */
export async function giveUpParkedSubscriptions(db: Database, workerProcessId: number): Promise<void> {
  await db.query({ name: 'give_up_parked_subscriptions', text: sql, values: [workerProcessId] });
}

const sql = `
update webhook.subscription_health set worker_process_id = null, owned_until = null where worker_process_id = $1
`;
