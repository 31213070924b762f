import { openTestPool } from '@postrider/testkit/test-database';
import { peerArguments, runPeer } from './peer-process.ts';
import { openPoster } from './signed-post.ts';

/**
 * The algorithm of many queues: a transaction takes one row, is held while the request is under way, and records what came of it, in our
 * tables. As many connections as concurrent deliveries.
 */
const peer = peerArguments();
const db = openTestPool(peer.databaseUrl, peer.concurrent);
const poster = openPoster(peer.url, peer.concurrent);

async function deliverOne(): Promise<void> {
  await db.transaction(async (transaction) => {
    const { rows } = await transaction.query<{
      application_id: string;
      request_attempt_id: string;
      event_id: string;
      event_received_at: Date;
      event_type_name: string;
    }>({
      name: 'take',
      text: `select application_id, request_attempt_id, event_id, event_received_at, event_type_name from webhook.open_attempt
             where pool_id = 0 and lane = 0 and due_at <= statement_timestamp() order by due_at limit 1 for update skip locked`,
    });
    const [row] = rows;
    if (!row) {
      throw new Error('The queue is empty before its time.');
    }
    const events = await transaction.query<{ payload: Buffer }>({
      name: 'payload',
      text: 'select payload from event.event where application_id = $1 and received_at = $2 and event_id = $3',
      values: [row.application_id, row.event_received_at, row.event_id],
    });
    const response = await poster.post({
      requestAttemptId: row.request_attempt_id,
      eventId: row.event_id,
      eventTypeName: row.event_type_name,
      payload: events.rows[0]?.payload ?? Buffer.alloc(0),
    });
    await transaction.query({
      name: 'finish',
      text: `with removed as (delete from webhook.open_attempt where application_id = $1 and request_attempt_id = $2 returning *)
             insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at,
               due_at, picked_at, finished_at, succeeded_at, retry_count, http_code, elapsed_ms, event_type_name, response_headers, response_body)
             select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, now(), now(), now(),
               retry_count, $3, 1, event_type_name, $4, $5 from removed`,
      values: [row.application_id, row.request_attempt_id, response.httpCode, JSON.stringify(response.headers), response.body],
    });
  });
}

await runPeer(
  {
    async deliver(_phase, count) {
      let taken = 0;
      const run = async (): Promise<void> => {
        while (taken < count) {
          taken += 1;
          await deliverOne();
        }
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: peer.concurrent }, run));
      return (performance.now() - startedAt) / 1000;
    },
  },
  peer,
);
