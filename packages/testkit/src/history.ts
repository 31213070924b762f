import type { Database } from '@postrider/shared/database/pool';
import { insertApplication, insertSubscription, type TestApplication, type TestSubscription } from './factories.ts';

export interface HistoryOptions {
  readonly events: number;
  /** Days over which they are spread, today the last. */
  readonly days: number;
  readonly payloadBytes: number;
}

/** An application with a long past. */
export interface History {
  readonly application: TestApplication;
  readonly subscriptions: readonly TestSubscription[];
  /** Half of the events have the first of these types, two of a thousand the last. */
  readonly eventTypeNames: readonly [frequent: string, other: string, rare: string];
}

const eventTypeNames = ['shop.order.placed', 'shop.order.paid', 'shop.order.refunded'] as const;
const subscriptionPairs = 10;

/**
 * Inserts events with three attempts each: one delivery succeeds at once, another fails first. Of a thousand events two are of the rarest
 * type and one has the label `rare: yes`, twenty matched nothing, ten failed for one subscription and two for both; the last part of today's
 * wait for their retries.
 */
export async function insertHistory(admin: Database, options: HistoryOptions): Promise<History> {
  const application = await insertApplication(admin);
  await admin.query({
    text: `insert into event.event_type (application_id, service, resource_type, verb)
           select $1, split_part(name, '.', 1), split_part(name, '.', 2), split_part(name, '.', 3) from unnest($2::text[]) name`,
    values: [application.applicationId, eventTypeNames],
  });
  const subscriptions: TestSubscription[] = [];
  for (let index = 0; index < 2 * subscriptionPairs; index += 1) {
    subscriptions.push(await insertSubscription(admin, application));
  }
  const ids = subscriptions.map(({ subscriptionId }) => subscriptionId);
  await makePartitions(admin, options.days);
  const count = Math.ceil(options.events / options.days);
  for (let daysAgo = options.days - 1; daysAgo >= 0; daysAgo -= 1) {
    await admin.query({ text: historySql, values: [application.applicationId, daysAgo, count, options.payloadBytes, eventTypeNames, ids] });
  }
  return { application, subscriptions, eventTypeNames };
}

async function makePartitions(admin: Database, days: number): Promise<void> {
  const { rows } = await admin.query<{ statement: string }>({ text: partitionsSql, values: [days] });
  for (const { statement } of rows) {
    await admin.query({ text: statement });
  }
}

const partitionsSql = `
select format('create table if not exists %I.%I partition of %I.%I for values from (%L) to (%L)', s, t || to_char(d, '_YYYYMMDD'), s, t,
              d at time zone 'UTC', (d + interval '1 day') at time zone 'UTC') as statement
from (values ('event', 'event'), ('webhook', 'finished_attempt')) as p (s, t)
cross join generate_series(date_trunc('day', statement_timestamp() at time zone 'UTC') - $1 * interval '1 day',
                           date_trunc('day', statement_timestamp() at time zone 'UTC'), interval '1 day') d
where to_regclass(format('%I.%I', s, t || to_char(d, '_YYYYMMDD'))) is null
`;

// One day. Every event has its own millisecond but for a few that share one.
const historySql = `
with range as (
  select start_at, least(start_at + interval '1 day', statement_timestamp()) - start_at as length
  from (select date_trunc('day', statement_timestamp(), 'UTC') - $2::integer * interval '1 day' as start_at) s
),
made as materialized (
  select i, webhook.new_request_attempt_id(received_at) as event_id, received_at,
         ($5::text[])[case when i % 500 = 5 then 3 when i % 2 = 0 then 1 else 2 end] as event_type_name,
         ($6::uuid[])[2 * (i % 10) + 1] as at_once_id, ($6::uuid[])[2 * (i % 10) + 2] as retried_id,
         i % 50 <> 7 as is_matched,
         i % 100 = 3 as is_given_up,
         i % 500 = 11 as is_failed,
         $2 = 0 and i > $3::integer * 0.9 as is_open
  from (select i, date_trunc('milliseconds', start_at + i::double precision / ($3::integer + 1) * length) as received_at
        from range cross join generate_series(1, $3::integer) i) n
),
new_key as (
  insert into event.event_key (application_id, event_id, received_at, content_hash)
  select $1::uuid, event_id, received_at, sha256('test') from made
),
new_event as (
  insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
  select $1::uuid, event_id, received_at, received_at, event_type_name,
         convert_to('{"data":"' || repeat('x', greatest($4::integer - 11, 0)) || '"}', 'UTF8'), 'application/json',
         jsonb_build_object('tenant', 't' || i % 100) || case when i % 1000 = 1 then '{"rare":"yes"}'::jsonb else '{}'::jsonb end,
         jsonb_build_object('n', i::text)
  from made
),
attempt as (
  select m.event_id, m.received_at, m.event_type_name, m.is_open and a.is_retry as is_open, a.subscription_id, a.retry_count,
         m.received_at + a.created_after as created_at, m.received_at + a.due_after as due_at,
         m.received_at + a.due_after + interval '50 milliseconds' as finished_at, a.succeeded, a.reason
  from made m
  cross join lateral (values
    (m.at_once_id, 0, interval '0', interval '0', not m.is_failed, case when m.is_failed then 'retries_exhausted' end, false),
    (m.retried_id, 0, interval '0', interval '0', false, null, false),
    (m.retried_id, 1, interval '50 milliseconds', interval '5 seconds', not (m.is_failed or m.is_given_up),
     case when m.is_failed or m.is_given_up then 'retries_exhausted' end, true)
  ) as a (subscription_id, retry_count, created_after, due_after, succeeded, reason, is_retry)
  where m.is_matched
),
queued as (
  insert into webhook.open_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                    payload_bytes, pool_id, retry_count, event_type_name)
  select $1::uuid, webhook.new_request_attempt_id(created_at), event_id, received_at, subscription_id, created_at,
         case when random() < 0.5 then due_at else statement_timestamp() + interval '1 hour' end, $4::integer, 0, retry_count, event_type_name
  from attempt
  where is_open
)
insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at,
                                      picked_at, finished_at, succeeded_at, failed_at, retry_count, http_code, elapsed_ms, event_type_name,
                                      reason, error_name, response_headers, response_body)
select $1::uuid, webhook.new_request_attempt_id(created_at), event_id, received_at, subscription_id, created_at, due_at, due_at, finished_at,
       case when succeeded then finished_at end, case when not succeeded then finished_at end, retry_count,
       case when succeeded then 200 else 500 end, 50, event_type_name, reason, case when not succeeded then 'E_HTTP' end,
       '{"content-type":"text/plain"}', 'thank you'
from attempt
where not is_open
`;
