import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface ReplayRow extends QueryResultRow {
  readonly event_exists: boolean;
  readonly attempts: number;
  /** The pools of workers that have something to deliver now. */
  readonly pool_ids: number[] | null;
}

/** New first attempts of a stored event for the subscriptions that match it now, or for one of them. */
export async function insertReplayAttempts(
  db: Database,
  replay: { readonly applicationId: string; readonly eventId: string; readonly subscriptionId: string | null },
): Promise<ReplayRow | undefined> {
  const { rows } = await db.query<ReplayRow>({
    name: 'insert_replay_attempts',
    text: sql,
    values: [replay.applicationId, replay.eventId, replay.subscriptionId],
  });
  return rows[0];
}

const sql = `
with replayed as materialized (
  select e.application_id, e.event_id, e.received_at, e.event_type_name, e.labels, octet_length(e.payload) as payload_bytes
  from event.event_key k
  join event.event e on e.application_id = k.application_id and e.received_at = k.received_at and e.event_id = k.event_id
  where k.application_id = $1 and k.event_id = $2
),
matched as (
  select r.*, s.subscription_id, s.pool_id, case when coalesce(s.paused_at, s.parked_at) is null then 0 else 1 end as lane,
         statement_timestamp() + ((row_number() over () - 1) / 1000) * interval '1 microsecond' as due_at
  from replayed r
  join webhook.subscription_event_type st on st.application_id = r.application_id and st.event_type_name = r.event_type_name
  join webhook.subscription s on s.subscription_id = st.subscription_id
  where s.disabled_at is null and s.deleted_at is null and r.labels @> s.labels and ($3::uuid is null or s.subscription_id = $3)
),
new_attempt as (
  insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                    payload_bytes, pool_id, lane, event_type_name)
  select application_id, webhook.new_request_attempt_id(due_at), event_id, received_at, subscription_id, due_at, due_at,
         payload_bytes, pool_id, lane, event_type_name
  from matched
  returning pool_id, lane
)
select exists (select from replayed) as event_exists,
       (select count(*)::integer from new_attempt) as attempts,
       (select array_agg(distinct pool_id) from new_attempt where lane = 0) as pool_ids
`;
