import type { TestApplication, TestSubscription } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';

/** Whose rows they are. */
export interface SeedOwner {
  readonly application: TestApplication;
  readonly subscription: TestSubscription;
}

/** Rows that one statement makes: more would share its memory. */
const seedRows = 100_000;
export const growthPayloadBytes = 128;

/** Attempts that succeeded today, in the partition that workers write to. */
export async function seedFinished(database: TestDatabase, owner: SeedOwner, count: number): Promise<void> {
  await inChunks(count, (rows) =>
    database.admin.query({
      text: finishedSql,
      values: [owner.application.applicationId, owner.subscription.subscriptionId, owner.application.eventTypeName, rows],
    }),
  );
}

/** Attempts of which so many at a time share their due time; all lie before this hour. */
export async function seedDue(database: TestDatabase, owner: SeedOwner, count: number, sharing: number): Promise<void> {
  await inChunks(count, (rows, done) =>
    database.admin.query({
      text: dueSql,
      values: [
        owner.application.applicationId,
        owner.application.eventTypeName,
        owner.subscription.subscriptionId,
        rows,
        growthPayloadBytes,
        sharing,
        count - done,
      ],
    }),
  );
}

async function inChunks(count: number, insert: (rows: number, done: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += seedRows) {
    await insert(Math.min(seedRows, count - done), done);
  }
}

const finishedSql = `
with made as materialized (
  select date_trunc('milliseconds', statement_timestamp()) as at, webhook.new_request_attempt_id(statement_timestamp()) as id
  from generate_series(1, $4::integer)
)
insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                      picked_at, finished_at, succeeded_at, retry_count, http_code, elapsed_ms, event_type_name,
                                      response_headers, response_body)
select $1::uuid, id, id, at, $2::uuid, at, at, at, at, at, 0, 200, 20, $3::text, '{"content-type":"text/plain"}', 'ok'
from made
`;

// Due times begin `$7` microseconds before the hour, where the statement before ended: one microsecond each, or one step for all that share it.
const dueSql = `
with made as materialized (
  select gen_random_uuid() as event_id, date_trunc('milliseconds', statement_timestamp()) as received_at,
         date_trunc('hour', statement_timestamp()) - $7::integer * interval '1 microsecond' + (i / $6::integer) * $6::integer * interval '1 microsecond' as due_at
  from generate_series(0, $4::integer - 1) i
),
keys as (
  insert into event.event_key (application_id, event_id, received_at, content_hash)
  select $1::uuid, event_id, received_at, sha256('test') from made
),
events as (
  insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
  select $1::uuid, event_id, received_at, received_at, $2::text, convert_to('{"data":"' || repeat('x', greatest($5::integer - 11, 0)) || '"}', 'UTF8'),
         'application/json', '{}', '{}'
  from made
)
insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                  payload_bytes, pool_id, event_type_name)
select $1::uuid, webhook.new_request_attempt_id(statement_timestamp()), event_id, received_at, $3::uuid, due_at, due_at, $5::integer, 0, $2::text
from made
`;
