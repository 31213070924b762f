import { byteaArray, textArray, timestamptzArray, uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

/** An event as it is stored. Within one call no two have the same application and event id. */
export interface EventToIngest {
  readonly applicationId: string;
  readonly eventId: string;
  readonly eventTypeName: string;
  readonly payload: Buffer;
  readonly payloadContentType: string;
  readonly occurredAt: Date;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly ip: string | null;
  readonly applicationSecretId: string | null;
  readonly contentHash: Buffer;
}

/** What became of a group. Events that are not mentioned were stored; those that are, by their positions from 0. */
export interface IngestedEvents {
  readonly receivedAt: Date;
  readonly withoutApplication: readonly number[];
  readonly withoutEventType: readonly number[];
  /** Their ids are those of earlier events. */
  readonly withTakenId: readonly number[];
  /** The pools of workers that got attempts to deliver now. */
  readonly poolIds: readonly number[];
  /** The same of attempts that are parked. */
  readonly parkedPoolIds: readonly number[];
}

/**
 * Stores a group of events with their keys and the attempts of all matching subscriptions, all of it or nothing. Fails with a missing
 * partition (see `isMissingPartition`) when today has none.
 */
export async function ingestEvents(db: Database, events: readonly EventToIngest[]): Promise<IngestedEvents> {
  const [row] = await db.queryText({
    name: 'ingest_events',
    text: sql,
    values: [
      uuidArray(events.map((event) => event.applicationId)),
      uuidArray(events.map((event) => event.eventId)),
      textArray(events.map((event) => event.eventTypeName)),
      byteaArray(events.map((event) => event.payload)),
      textArray(events.map((event) => event.payloadContentType)),
      timestamptzArray(events.map((event) => event.occurredAt)),
      textArray(events.map((event) => JSON.stringify(event.labels))),
      textArray(events.map((event) => JSON.stringify(event.metadata))),
      textArray(events.map((event) => event.ip)),
      uuidArray(events.map((event) => event.applicationSecretId)),
      byteaArray(events.map((event) => event.contentHash)),
    ],
  });
  if (!row) {
    throw new Error('The database did not say what became of a group of events.');
  }
  return {
    receivedAt: new Date(Number(row[0])),
    withoutApplication: numbersOf(row[1]).map(positionOf),
    withoutEventType: numbersOf(row[2]).map(positionOf),
    withTakenId: numbersOf(row[3]).map(positionOf),
    poolIds: numbersOf(row[4]),
    parkedPoolIds: numbersOf(row[5]),
  };
}

function numbersOf(list: string | null | undefined): readonly number[] {
  return typeof list === 'string' ? list.split(',').map(Number) : [];
}

function positionOf(ordinality: number): number {
  return ordinality - 1;
}

// Keys go in by order of (application_id, event_id): unordered, two instances with the same ids deadlock.
// received_at has milliseconds, which a JavaScript Date keeps: it is the partition key and travels through workers and back.
// The attempts of subscriptions that are paused or parked go into the parked lane.
// Each 1,000 attempts of a group get a due time of their own: rows that share one defeat the watermark of the claim.
// Their ids are UUIDv7 that share 50 random bits and end in a counter of 24 (RFC 9562, section 6.2): random bits of its own for each attempt cost
// as much as its place in an index.
// One row tells of all events: a row for each costs both sides more.
const sql = `
with grouped as materialized (
  select date_trunc('milliseconds', statement_timestamp()) as received_at
),
input as materialized (
  select i.*, (select received_at from grouped) as received_at
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[],
              $10::uuid[], $11::bytea[])
    with ordinality as i (application_id, event_id, event_type_name, payload, payload_content_type, occurred_at, labels, metadata, ip,
                          application_secret_id, content_hash, ordinality)
),
judged as materialized (
  select i.ordinality, i.application_id, i.event_id, i.content_hash,
         a.application_id is not null as application_exists,
         t.event_type_name is not null as event_type_exists
  from input i
  left join event.application a on a.application_id = i.application_id and a.deleted_at is null
  left join event.event_type t
    on t.application_id = i.application_id and t.event_type_name = i.event_type_name and t.deactivated_at is null
),
new_key as (
  insert into event.event_key (application_id, event_id, received_at, content_hash)
  select application_id, event_id, (select received_at from grouped), content_hash
  from judged
  where application_exists and event_type_exists
  order by application_id, event_id
  on conflict on constraint event_key_pkey do nothing
  returning application_id, event_id
),
accepted as materialized (
  select i.*, i.labels::jsonb as label_map
  from input i
  join new_key k on k.event_id = i.event_id and k.application_id = i.application_id
),
new_event as (
  insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels,
                           metadata, ip, application_secret_id)
  select application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, label_map, metadata::jsonb,
         ip::inet, application_secret_id
  from accepted
),
matched as (
  select a.application_id, a.event_id, a.event_type_name, octet_length(a.payload) as payload_bytes, s.subscription_id, s.pool_id,
         case when coalesce(s.paused_at, s.parked_at) is null then 0 else 1 end as lane,
         a.received_at, row_number() over () - 1 as position,
         a.received_at + ((row_number() over () - 1) / 1000) * interval '1 microsecond' as due_at
  from accepted a
  join webhook.subscription_event_type st on st.application_id = a.application_id and st.event_type_name = a.event_type_name
  join webhook.subscription s on s.subscription_id = st.subscription_id
  where s.disabled_at is null and s.deleted_at is null and a.label_map @> s.labels
),
new_attempt as (
  insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                    payload_bytes, pool_id, lane, event_type_name)
  select application_id,
         ((select left(translate(webhook.new_request_attempt_id(received_at)::text, '-', ''), 26) from grouped)
           || lpad(to_hex(position), 6, '0'))::uuid,
         event_id, received_at, subscription_id, due_at, due_at, payload_bytes, pool_id, lane, event_type_name
  from matched
  returning pool_id, lane
),
woken as materialized (
  select distinct pool_id, lane from new_attempt
)
select (extract(epoch from (select received_at from grouped)) * 1000)::bigint,
       string_agg(j.ordinality::text, ',') filter (where not j.application_exists),
       string_agg(j.ordinality::text, ',') filter (where j.application_exists and not j.event_type_exists),
       string_agg(j.ordinality::text, ',') filter (where j.application_exists and j.event_type_exists and k.event_id is null),
       (select string_agg(pool_id::text, ',') from woken where lane = 0),
       (select string_agg(pool_id::text, ',') from woken where lane = 1)
from judged j
left join new_key k on k.event_id = j.event_id and k.application_id = j.application_id
`;
