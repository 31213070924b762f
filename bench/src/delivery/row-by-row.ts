import { openTestPool } from '@postrider/testkit/test-database';
import { Agent, request } from 'undici';

/**
 * The algorithm of many queues: a transaction takes one row, is held while the request is under way, and records what came of it. As many
 * connections as concurrent deliveries. Arguments: database URL, target URL, concurrency, deliveries.
 */
const [databaseUrl = '', url = '', concurrentText, deliveriesText] = process.argv.slice(2);
const concurrent = Number(concurrentText);
const deliveries = Number(deliveriesText);
const db = openTestPool(databaseUrl, concurrent);
const agent = new Agent({ allowH2: false, connections: concurrent, pipelining: 1 });

let taken = 0;
let delivered = 0;

async function deliverOne(): Promise<void> {
  await db.transaction(async (transaction) => {
    const { rows } = await transaction.query<{
      application_id: string;
      request_attempt_id: string;
      event_id: string;
      event_received_at: Date;
    }>({
      name: 'take',
      text: `select application_id, request_attempt_id, event_id, event_received_at from webhook.open_attempt
             where pool_id = 0 and lane = 0 and due_at <= statement_timestamp() order by due_at limit 1 for update skip locked`,
    });
    const [row] = rows;
    if (!row) {
      return;
    }
    const events = await transaction.query<{ payload: Buffer }>({
      name: 'payload',
      text: 'select payload from event.event where application_id = $1 and received_at = $2 and event_id = $3',
      values: [row.application_id, row.event_received_at, row.event_id],
    });
    const response = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-attempt-id': row.request_attempt_id },
      body: events.rows[0]?.payload ?? '',
    });
    const body = Buffer.from(await response.body.arrayBuffer());
    await transaction.query({
      name: 'finish',
      text: `with removed as (delete from webhook.open_attempt where application_id = $1 and request_attempt_id = $2 returning *)
             insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at,
               due_at, finished_at, succeeded_at, retry_count, http_code, elapsed_ms, event_type_name, response_headers, response_body)
             select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, now(), now(),
               retry_count, $3, 1, event_type_name, $4, $5 from removed`,
      values: [row.application_id, row.request_attempt_id, response.statusCode, JSON.stringify(response.headers), body],
    });
    delivered += 1;
  });
}

async function run(): Promise<void> {
  while (taken < deliveries) {
    taken += 1;
    await deliverOne();
  }
}

const startedAt = performance.now();
const cpuBefore = process.cpuUsage();
await Promise.all(Array.from({ length: concurrent }, run));
const seconds = (performance.now() - startedAt) / 1000;
const cpu = process.cpuUsage(cpuBefore);
process.stdout.write(
  `${JSON.stringify({ event: 'row_by_row.finished', perSecond: delivered / seconds, cpuPerThousand: (cpu.user + cpu.system) / delivered / 1000, delivered })}\n`,
);
process.exit(0);
