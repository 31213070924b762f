import type { QueryResultRow } from 'pg';
import { uuidArray } from '../binary-array.ts';
import type { Database } from '../pool.ts';

export interface EventKeyRow extends QueryResultRow {
  readonly application_id: string;
  readonly event_id: string;
  readonly received_at: Date;
  readonly content_hash: Buffer;
}

/** The stored keys of events by id. Read in a statement of its own: a concurrent winner is invisible to the statement that lost to it. */
export async function findEventKeys(
  db: Database,
  keys: readonly { readonly applicationId: string; readonly eventId: string }[],
): Promise<EventKeyRow[]> {
  const { rows } = await db.query<EventKeyRow>({
    name: 'find_event_keys',
    text: sql,
    values: [uuidArray(keys.map((key) => key.applicationId)), uuidArray(keys.map((key) => key.eventId))],
  });
  return rows;
}

const sql = `
select k.application_id, k.event_id, k.received_at, k.content_hash
from unnest($1::uuid[], $2::uuid[]) as wanted (application_id, event_id)
join event.event_key k on k.application_id = wanted.application_id and k.event_id = wanted.event_id
`;
