import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';
import type { Sink } from '../sink.ts';
import { clearTables } from './measurement.ts';

/** Attempts of a subscription of their own, all due. */
export interface Backlog {
  /** How many succeeded, and in how many seconds from the first claim to the last record. */
  finished(): Promise<{ readonly succeeded: number; readonly seconds: number }>;
}

/** Inserts 1 KiB events, each with one attempt, in our tables. */
export async function insertOwnBacklog(database: TestDatabase, sink: Sink, count: number): Promise<Backlog> {
  const { admin } = database;
  const application = await insertApplication(admin);
  const subscription = await insertSubscription(admin, application, { url: sink.url });
  await insertBacklog(admin, application, subscription, { count });
  return {
    async finished() {
      const { rows } = await admin.query<{ succeeded: number; seconds: number }>({
        text: `select count(*) filter (where http_code = 200 and response_headers is not null)::integer as succeeded,
                      extract(epoch from max(finished_at) - min(picked_at))::double precision as seconds
               from webhook.finished_attempt where subscription_id = $1`,
        values: [subscription.subscriptionId],
      });
      return rows[0] ?? { succeeded: 0, seconds: Number.NaN };
    },
  };
}

/** Takes away what was delivered, so that the next backlog finds what this one found. */
export function clearOwnLog(database: TestDatabase): Promise<void> {
  return clearTables(database, ['webhook.finished_attempt', 'event.event', 'event.event_key']);
}
