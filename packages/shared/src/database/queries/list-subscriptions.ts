import type { RetryPolicy } from '../../domain/delivery-policy.ts';
import { type HoldRow, holdColumns } from '../hold-row.ts';
import type { Database } from '../pool.ts';

export interface SubscriptionRow extends HoldRow {
  readonly subscription_id: string;
  readonly application_id: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly target_method: string;
  readonly target_url: string;
  readonly target_headers: Readonly<Record<string, string | string[]>>;
  readonly secret_sealed: Buffer;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly disabled_at: Date | null;
  readonly disabled_reason: string | null;
  readonly paused_at: Date | null;
  /** Since when there was nothing but failure. */
  readonly failing_since: Date | null;
  /** When the last secret that was rotated out ends; null when only the current one signs. */
  readonly previous_secret_ends_at: Date | null;
  readonly retry_schedule: RetryPolicy | null;
  readonly timeout_ms: number | null;
  readonly in_flight_max: number | null;
  readonly rate_requests: number | null;
  readonly rate_period_ms: number | null;
  readonly event_types: string[];
  readonly dedicated_workers: string[];
}

/** Subscriptions that are not deleted, oldest first: of an application, or the one of the given id. */
export async function listSubscriptions(
  db: Database,
  which: { readonly applicationId: string } | { readonly subscriptionId: string },
): Promise<SubscriptionRow[]> {
  const [column, id] =
    'applicationId' in which ? (['application', which.applicationId] as const) : (['subscription', which.subscriptionId] as const);
  const { rows } = await db.query<SubscriptionRow>({ name: `list_subscriptions_by_${column}`, text: sql[column], values: [id] });
  return rows;
}

// Healths are found by subscription_health_pkey.
const columns = `
select s.subscription_id, s.application_id, s.description, s.labels, s.metadata, s.target_method, s.target_url, s.target_headers,
       s.secret_sealed, s.created_at, s.updated_at, s.disabled_at, s.disabled_reason, s.paused_at,
       s.retry_schedule, s.timeout_ms, s.in_flight_max, s.rate_requests, s.rate_period_ms, h.failing_since, ${holdColumns},
       (select max(until) from unnest(s.previous_secrets_until) as until where until > statement_timestamp()) as previous_secret_ends_at,
       array(select t.event_type_name from webhook.subscription_event_type t where t.subscription_id = s.subscription_id
             order by t.event_type_name) as event_types,
       array(select w.name from webhook.subscription_worker sw join webhook.worker w on w.worker_id = sw.worker_id
             where sw.subscription_id = s.subscription_id order by w.name) as dedicated_workers
from webhook.subscription s
left join webhook.subscription_health h on h.subscription_id = s.subscription_id
`;

const sql = {
  application: `${columns} where s.application_id = $1 and s.deleted_at is null order by s.subscription_id`,
  subscription: `${columns} where s.subscription_id = $1 and s.deleted_at is null`,
} as const;
