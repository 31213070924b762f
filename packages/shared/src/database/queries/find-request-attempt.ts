import type { Database } from '../pool.ts';
import type { RequestAttemptRow } from './list-request-attempts.ts';

/** A request attempt, open or finished. Served by open_attempt_pkey and finished_attempt_by_application. */
export async function findRequestAttempt(
  db: Database,
  attempt: { readonly applicationId: string; readonly requestAttemptId: string },
): Promise<RequestAttemptRow | undefined> {
  const { rows } = await db.query<RequestAttemptRow>({
    name: 'find_request_attempt',
    text: sql,
    values: [attempt.applicationId, attempt.requestAttemptId],
  });
  return rows[0];
}

const sql = `
select request_attempt_id, event_id, event_type_name, subscription_id, subscription_description, retry_count, created_at, delay_until,
       picked_at, succeeded_at, failed_at, reason, status, http_response_status, response_id, held_by, hold_until, receiver_failures
from webhook.request_attempt
where application_id = $1 and request_attempt_id = $2
`;
