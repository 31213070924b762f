import { type HoldRow, holdColumns } from '../hold-row.ts';
import type { Database } from '../pool.ts';

export type RequestAttemptStatus = 'waiting' | 'pending' | 'in_progress' | 'successful' | 'failed';

/** An attempt, and what keeps it back while it waits or is due. */
export interface RequestAttemptRow extends HoldRow {
  readonly request_attempt_id: string;
  readonly event_id: string;
  readonly event_type_name: string;
  readonly subscription_id: string;
  readonly subscription_description: string | null;
  readonly retry_count: number;
  readonly created_at: Date;
  readonly delay_until: Date | null;
  readonly picked_at: Date | null;
  readonly succeeded_at: Date | null;
  readonly failed_at: Date | null;
  readonly reason: string | null;
  readonly status: RequestAttemptStatus;
  readonly http_response_status: number | null;
  readonly response_id: string | null;
}

/** An attempt that was looked at for a list. */
export interface ListedRequestAttemptRow extends RequestAttemptRow {
  /** False for an attempt that does not match and only tells where the window ends. */
  readonly matches: boolean;
  /** Whether the list looked no further than this attempt, though there may be more. */
  readonly is_window_end: boolean;
}

export interface RequestAttemptFilter {
  readonly applicationId: string;
  readonly subscriptionId: string | null;
  readonly eventTypeNames: readonly string[] | null;
  readonly minCreatedAt: Date | null;
  readonly maxCreatedAt: Date | null;
  readonly statuses: readonly RequestAttemptStatus[] | null;
  /** Ids that the bounds of time leave, since an id carries the time it was made at. */
  readonly idFrom: string;
  readonly idBelow: string;
  /** How many attempts are looked at, in the queue and in the log. */
  readonly window: number;
  readonly limit: number;
}

/** Request attempts of an application, open and finished, newest first. */
export async function listRequestAttempts(db: Database, filter: RequestAttemptFilter): Promise<ListedRequestAttemptRow[]> {
  const wants = (...statuses: readonly RequestAttemptStatus[]): boolean =>
    filter.statuses === null || statuses.some((status) => filter.statuses?.includes(status));
  const { rows } = await db.query<ListedRequestAttemptRow>({
    text: sql,
    values: [
      filter.applicationId,
      filter.subscriptionId,
      filter.eventTypeNames,
      filter.minCreatedAt,
      filter.maxCreatedAt,
      filter.statuses,
      filter.idFrom,
      filter.idBelow,
      filter.window,
      filter.limit,
      wants('waiting', 'pending', 'in_progress'),
      wants('failed') && !wants('waiting', 'pending', 'in_progress'),
      wants('successful', 'failed'),
      filter.statuses?.every((status) => status === 'failed') ?? false,
    ],
  });
  return rows;
}

// Planned for its values: parts and filters that are not wanted vanish from the plan, and bounds of time leave partitions out. The queue
// is served by open_attempt_pkey (open_attempt_by_subscription where that is shorter), the log by finished_attempt_by_application,
// finished_attempt_by_subscription or, for failures alone, finished_attempt_failed; each in the order of ids and no further than the limit or
// the window: it is cut off inside of the union, since the planner asks no part of one for an order. A subscription has one application, which is compared once, so that no plan takes the index of the application for it. Failures alone are also attempts that wait for a subscription that was disabled or deleted, whose rows follow soon: they are
// looked up by subscription, since a queue may be long. The last row of a window is returned whether it matches or not.
const sql = `
with queue as (
  select a.request_attempt_id, a.event_id, a.event_type_name, a.subscription_id, a.retry_count, a.created_at, a.due_at,
         case when cancelled.at is null then a.picked_at end as picked_at, null::timestamptz as succeeded_at, cancelled.at as failed_at, case when cancelled.at is not null then 'cancelled' end as reason,
         null::smallint as http_code, null::integer as elapsed_ms, a.is_test, a.position,
         case
           when cancelled.at is not null then 'failed'
           when a.leased_until > statement_timestamp() then 'in_progress'
           when a.due_at > statement_timestamp() then 'waiting'
           else 'pending'
         end as status
  from (
    select l.*, row_number() over (order by l.request_attempt_id desc) as position
    from (
      select q.*
      from (
        (
          select o.request_attempt_id, o.event_id, o.event_type_name, o.subscription_id, o.retry_count, o.created_at, o.due_at, o.picked_at,
                 o.leased_until, o.is_test
          from webhook.open_attempt o
          where $11::boolean
            and o.application_id = $1
            and ($2::uuid is null or o.subscription_id = $2)
            and o.request_attempt_id >= $7::uuid and o.request_attempt_id < $8::uuid
          order by o.request_attempt_id desc
          limit $9
        )
        union all
        select o.request_attempt_id, o.event_id, o.event_type_name, o.subscription_id, o.retry_count, o.created_at, o.due_at, o.picked_at,
               o.leased_until, o.is_test
        from webhook.subscription u
        cross join lateral (
          select u.subscription_id, request_attempt_id, event_id, event_type_name, retry_count, created_at, due_at, picked_at, leased_until,
                 is_test
          from webhook.open_attempt
          where subscription_id = u.subscription_id and request_attempt_id >= $7::uuid and request_attempt_id < $8::uuid
          limit $9
        ) o
        where $12::boolean and u.application_id = $1 and u.unsettled_since is not null and ($2::uuid is null or u.subscription_id = $2)
      ) q
      order by q.request_attempt_id desc
      limit $9
    ) l
  ) a
  left join webhook.subscription s on s.subscription_id = a.subscription_id
  cross join lateral (
    -- As the view webhook.request_attempt has it.
    select case
      when coalesce(a.leased_until <= statement_timestamp(), true)
        and (s.disabled_at is not null or s.deleted_at is not null or a.created_at <= s.cancelled_until)
      then greatest(a.created_at, coalesce(s.cancelled_at, s.disabled_at, s.deleted_at, s.cancelled_until))
    end as at
  ) cancelled
),
log as (
  select request_attempt_id, event_id, event_type_name, subscription_id, retry_count, created_at, due_at, picked_at, succeeded_at, failed_at,
         reason, http_code, elapsed_ms, false as is_test, row_number() over (order by request_attempt_id desc) as position,
         case when succeeded_at is not null then 'successful' else 'failed' end as status
  from webhook.finished_attempt
  where $13::boolean
    and ($2::uuid is not null or application_id = $1)
    and ($2::uuid is null or subscription_id = $2)
    and ($2::uuid is null or exists (select from webhook.subscription where subscription_id = $2 and application_id = $1))
    and (not $14::boolean or failed_at is not null)
    and ($4::timestamptz is null or finished_at >= $4)
    and request_attempt_id >= $7::uuid and request_attempt_id < $8::uuid
  order by request_attempt_id desc
  limit $9
),
listed as (
  select a.*,
         ($3::text[] is null or a.event_type_name = any ($3)) and ($6::text[] is null or a.status = any ($6))
           and ($4::timestamptz is null or a.created_at >= $4) and ($5::timestamptz is null or a.created_at <= $5) as matches
  from (select * from queue union all select * from log) a
)
select l.request_attempt_id, l.event_id, l.event_type_name, l.subscription_id, d.description as subscription_description, l.retry_count,
       l.created_at, case when l.due_at > l.created_at then l.due_at end as delay_until,
       l.picked_at, l.succeeded_at, l.failed_at, l.reason, l.status, l.http_code as http_response_status,
       case when l.elapsed_ms is not null then l.request_attempt_id end as response_id, l.matches, l.is_window_end, ${holdColumns}
from (
  select listed.*, position = $9 as is_window_end
  from listed
  where matches or position = $9
  order by request_attempt_id desc
  limit $10
) l
left join webhook.subscription d on d.subscription_id = l.subscription_id
left join webhook.subscription s on s.subscription_id = l.subscription_id and l.status in ('waiting', 'pending') and not l.is_test
left join webhook.subscription_health h on h.subscription_id = s.subscription_id
order by l.request_attempt_id desc
`;
