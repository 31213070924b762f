import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

export interface AttemptToRetryRow extends QueryResultRow {
  readonly event_id: string;
  readonly subscription_id: string;
  readonly is_deleted: boolean;
  readonly is_disabled: boolean;
}

/** What an attempt, open or finished, is about, and whether that can be delivered now. Served by the keys of both tables. */
export async function findAttemptToRetry(
  db: Database,
  applicationId: string,
  requestAttemptId: string,
): Promise<AttemptToRetryRow | undefined> {
  const { rows } = await db.query<AttemptToRetryRow>({
    name: 'find_attempt_to_retry',
    text: sql,
    values: [applicationId, requestAttemptId],
  });
  return rows[0];
}

const sql = `
select a.event_id, a.subscription_id, s.deleted_at is not null as is_deleted, s.disabled_at is not null as is_disabled
from (
  select event_id, subscription_id from webhook.open_attempt where application_id = $1 and request_attempt_id = $2
  union all
  select event_id, subscription_id from webhook.finished_attempt where application_id = $1 and request_attempt_id = $2
) a
join webhook.subscription s on s.subscription_id = a.subscription_id
limit 1
`;
