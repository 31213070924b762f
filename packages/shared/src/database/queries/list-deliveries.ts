import { type HoldRow, holdColumns } from '../hold-row.ts';
import type { Database } from '../pool.ts';

/** What is known of one event's way to one subscription. Members of what there is not are null. */
export interface DeliveryRow extends HoldRow {
  readonly subscription_id: string;
  readonly description: string | null;
  readonly deleted_at: Date | null;
  readonly disabled_at: Date | null;
  readonly disabled_reason: string | null;
  readonly attempts: number;
  /** The attempt that comes next, or is being made. */
  readonly open_id: string | null;
  readonly open_retry_count: number | null;
  readonly due_at: Date | null;
  readonly is_due: boolean | null;
  readonly is_leased: boolean | null;
  /** A sample, which nothing keeps back. */
  readonly is_test: boolean | null;
  readonly is_cancelled: boolean | null;
  /** The attempt that was finished last. */
  readonly last_id: string | null;
  readonly last_retry_count: number | null;
  readonly finished_at: Date | null;
  readonly succeeded: boolean | null;
  readonly reason: string | null;
  readonly error_name: string | null;
  readonly http_code: number | null;
  readonly was_sent: boolean | null;
}

export interface DeliveryFilter {
  readonly applicationId: string;
  readonly event: {
    readonly eventId: string;
    readonly receivedAt: Date;
    readonly eventTypeName: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** The last subscription of the page before. */
  readonly afterSubscriptionId: string;
  readonly limit: number;
}

/** One row for each subscription that got attempts of an event or would match it now, in the order of their ids. */
export async function listDeliveries(db: Database, { applicationId, event, ...page }: DeliveryFilter): Promise<DeliveryRow[]> {
  const { rows } = await db.query<DeliveryRow>({
    text: sql,
    values: [
      applicationId,
      event.eventId,
      event.receivedAt,
      event.eventTypeName,
      JSON.stringify(event.labels),
      page.afterSubscriptionId,
      page.limit,
    ],
  });
  return rows;
}

// Planned for its values, so that days before the event leave their partitions out. Served by open_attempt_by_event,
// finished_attempt_by_event and subscription_event_type_pkey. The application is compared apart from them (offset 0), so that no
// plan, made without statistics, takes its index instead.
const sql = `
with opened as materialized (
  select subscription_id, request_attempt_id, retry_count, created_at, due_at, is_test,
         due_at <= statement_timestamp() as is_due,
         coalesce(leased_until > statement_timestamp(), false) as is_leased
  from (
    select application_id, subscription_id, request_attempt_id, retry_count, created_at, due_at, is_test, leased_until
    from webhook.open_attempt
    where event_id = $2
    offset 0
  ) o
  where application_id = $1 and subscription_id > $6
),
finished as materialized (
  select subscription_id, request_attempt_id, retry_count, finished_at, succeeded_at is not null as succeeded, reason, error_name, http_code,
         elapsed_ms is not null as was_sent
  from (
    select application_id, subscription_id, request_attempt_id, retry_count, finished_at, succeeded_at, reason, error_name, http_code, elapsed_ms
    from webhook.finished_attempt
    where event_id = $2 and finished_at >= $3
    offset 0
  ) f
  where application_id = $1 and subscription_id > $6
),
next_attempt as (
  select distinct on (subscription_id) * from opened order by subscription_id, is_leased desc, due_at
),
last_attempt as (
  select distinct on (subscription_id) *, count(*) filter (where was_sent) over (partition by subscription_id) as attempts
  from finished
  order by subscription_id, request_attempt_id desc
),
concerned as (
  select subscription_id from opened
  union
  select subscription_id from finished
  union
  select s.subscription_id
  from webhook.subscription_event_type st
  join webhook.subscription s on s.subscription_id = st.subscription_id
  where st.application_id = $1 and st.event_type_name = $4 and st.subscription_id > $6
    and s.disabled_at is null and s.deleted_at is null and $5::jsonb @> s.labels
)
select s.subscription_id, s.description, s.deleted_at, s.disabled_at, s.disabled_reason, coalesce(l.attempts, 0)::integer as attempts,
       n.request_attempt_id as open_id, n.retry_count as open_retry_count, n.due_at, n.is_due, n.is_leased, n.is_test,
       n.created_at <= s.cancelled_until or ((s.disabled_at is not null or s.deleted_at is not null) and n.subscription_id is not null)
         as is_cancelled,
       l.request_attempt_id as last_id, l.retry_count as last_retry_count, l.finished_at, l.succeeded, l.reason, l.error_name, l.http_code,
       l.was_sent, ${holdColumns}
from concerned c
join webhook.subscription s on s.subscription_id = c.subscription_id
left join webhook.subscription_health h on h.subscription_id = c.subscription_id
left join next_attempt n on n.subscription_id = c.subscription_id
left join last_attempt l on l.subscription_id = c.subscription_id
order by s.subscription_id
limit $7
`;
