import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

interface PauseRow extends QueryResultRow {
  readonly paused_at: Date | null;
  readonly pool_id: number;
}

/**
 * Pauses a subscription or lets it go on. Workers see it within a second; its open attempts follow. One that is paused already keeps the
 * time since when it is. Undefined when there is no such subscription.
 */
export async function pauseSubscription(
  db: Database,
  change: { readonly applicationId: string; readonly subscriptionId: string; readonly isPaused: boolean },
): Promise<{ readonly pausedAt: Date | null; readonly poolId: number } | undefined> {
  const { rows } = await db.query<PauseRow>({
    name: 'pause_subscription',
    text: sql,
    values: [change.applicationId, change.subscriptionId, change.isPaused],
  });
  return rows[0] && { pausedAt: rows[0].paused_at, poolId: rows[0].pool_id };
}

const sql = `
update webhook.subscription
set paused_at = case when $3 then coalesce(paused_at, statement_timestamp()) end,
    updated_at = case when $3 <> (paused_at is not null) then statement_timestamp() else updated_at end,
    unsettled_since = statement_timestamp()
where application_id = $1 and subscription_id = $2 and deleted_at is null
returning paused_at, pool_id
`;
