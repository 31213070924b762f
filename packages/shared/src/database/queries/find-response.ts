import type { Database } from '../pool.ts';

export interface ResponseRow {
  readonly response_id: string;
  readonly error_name: string | null;
  readonly http_code: number | null;
  readonly response_headers: Readonly<Record<string, string>> | null;
  readonly response_body: Buffer | null;
  readonly response_body_truncated: boolean;
  readonly elapsed_ms: number;
}

/** What came of a request attempt that was sent. Served by finished_attempt_by_application. */
export async function findResponse(db: Database, applicationId: string, responseId: string): Promise<ResponseRow | undefined> {
  const { rows } = await db.query<ResponseRow>({ name: 'find_response', text: sql, values: [applicationId, responseId] });
  return rows[0];
}

const sql = `
select request_attempt_id as response_id, error_name, http_code, response_headers, response_body, response_body_truncated, elapsed_ms
from webhook.finished_attempt
where application_id = $1 and request_attempt_id = $2 and elapsed_ms is not null
`;
