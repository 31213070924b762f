import type { Database } from '../pool.ts';

export interface RequestAttemptRow {
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
  readonly status: 'waiting' | 'pending' | 'in_progress' | 'successful' | 'failed';
  readonly http_response_status: number | null;
  readonly response_id: string | null;
}

export interface RequestAttemptFilter {
  readonly applicationId: string;
  readonly requestAttemptId: string | null;
  readonly eventId: string | null;
  readonly subscriptionId: string | null;
  readonly eventTypeNames: readonly string[] | null;
  readonly minCreatedAt: Date | null;
  readonly maxCreatedAt: Date | null;
  readonly statuses: readonly string[] | null;
  /** The last attempt of the page before. */
  readonly after: string | null;
  readonly limit: number;
}

/** Request attempts of an application, open and finished, newest first. */
export async function listRequestAttempts(db: Database, filter: RequestAttemptFilter): Promise<RequestAttemptRow[]> {
  const { rows } = await db.query<RequestAttemptRow>({
    text: sql,
    values: [
      filter.applicationId,
      filter.requestAttemptId,
      filter.eventId,
      filter.subscriptionId,
      filter.eventTypeNames,
      filter.minCreatedAt,
      filter.maxCreatedAt,
      filter.statuses,
      filter.after,
      filter.limit,
    ],
  });
  return rows;
}

// Planned for its values: a filter that is not given then costs nothing, and the one that is picks its index.
const sql = `
select request_attempt_id, event_id, event_type_name, subscription_id, subscription_description, retry_count, created_at, delay_until,
       picked_at, succeeded_at, failed_at, reason, status, http_response_status, response_id
from webhook.request_attempt
where application_id = $1
  and ($2::uuid is null or request_attempt_id = $2)
  and ($3::uuid is null or event_id = $3)
  and ($4::uuid is null or subscription_id = $4)
  and ($5::text[] is null or event_type_name = any ($5))
  and ($6::timestamptz is null or created_at >= $6)
  and ($7::timestamptz is null or created_at <= $7)
  and ($8::text[] is null or status = any ($8))
  and ($9::uuid is null or request_attempt_id < $9)
order by request_attempt_id desc
limit $10
`;
