import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';
import type { EventToIngest } from './ingest-events.ts';

export interface TestAttemptRow extends QueryResultRow {
  readonly request_attempt_id: string;
  readonly pool_id: number;
}

/**
 * Stores an event with one attempt for one subscription, whatever its types and labels and also while it is paused. Undefined when the
 * subscription is gone or disabled. Fails with a missing partition (see `isMissingPartition`) when today has none.
 */
export async function insertTestEvent(db: Database, subscriptionId: string, event: EventToIngest): Promise<TestAttemptRow | undefined> {
  const { rows } = await db.query<TestAttemptRow>({
    name: 'insert_test_event',
    text: sql,
    values: [
      event.applicationId,
      event.eventId,
      event.eventTypeName,
      event.payload,
      event.payloadContentType,
      event.occurredAt,
      JSON.stringify(event.labels),
      JSON.stringify(event.metadata),
      event.ip,
      event.applicationSecretId,
      event.contentHash,
      subscriptionId,
    ],
  });
  return rows[0];
}

const sql = `
with tested as materialized (
  select subscription_id, pool_id, date_trunc('milliseconds', statement_timestamp()) as received_at
  from webhook.subscription
  where application_id = $1 and subscription_id = $12 and disabled_at is null and deleted_at is null
),
new_key as (
  insert into event.event_key (application_id, event_id, received_at, content_hash)
  select $1::uuid, $2::uuid, received_at, $11::bytea from tested
),
new_event as (
  insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels,
                           metadata, ip, application_secret_id)
  select $1::uuid, $2::uuid, received_at, $6::timestamptz, $3::text, $4::bytea, $5::text, $7::jsonb, $8::jsonb, $9::inet, $10::uuid
  from tested
)
insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                  payload_bytes, pool_id, event_type_name, is_test)
select $1::uuid, webhook.new_request_attempt_id(statement_timestamp()), $2::uuid, received_at, subscription_id, statement_timestamp(),
       statement_timestamp(), octet_length($4::bytea), pool_id, $3::text, true
from tested
returning request_attempt_id, pool_id
`;
