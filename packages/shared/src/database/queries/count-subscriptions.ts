import { type Database, onlyRow } from '../pool.ts';

/** How many subscriptions an application has. */
export async function countSubscriptions(db: Database, applicationId: string): Promise<number> {
  return onlyRow(await db.query<{ amount: number }>({ name: 'count_subscriptions', text: sql, values: [applicationId] })).amount;
}

// Served by subscription_by_application.
const sql = `
select count(*)::integer as amount from webhook.subscription where application_id = $1 and deleted_at is null
`;
