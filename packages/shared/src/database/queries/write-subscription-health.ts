import type { SubscriptionHealth } from '../../domain/subscription-health.ts';
import type { Database } from '../pool.ts';

export interface HealthToWrite {
  readonly applicationId: string;
  readonly subscriptionId: string;
  readonly health: SubscriptionHealth;
  /** The moment of the health's times that is now. */
  readonly nowMs: number;
  /** The process that delivers its attempts from now on, should they be parked and nobody's. */
  readonly workerProcessId: number;
  readonly ownedForMs: number;
}

/** Keeps the health of a subscription that is locked, and parks its attempts or lets them return, should that have changed. */
export async function writeSubscriptionHealth(db: Database, write: HealthToWrite): Promise<void> {
  const { health, nowMs } = write;
  await db.query({
    name: 'write_subscription_health',
    text: sql,
    values: [
      write.subscriptionId,
      write.applicationId,
      health.parkReason,
      health.holdUntilMs === null ? null : health.holdUntilMs - nowMs,
      health.budget,
      health.budgetGoal,
      health.failures,
      health.failingSinceMs === null ? null : nowMs - health.failingSinceMs,
      health.throttling,
      health.holds,
      write.workerProcessId,
      write.ownedForMs,
    ],
  });
}

// Rows that wait for their move are looked after by the sweep, and passed over by claims of the normal lane until then.
const sql = `
with flagged as (
  update webhook.subscription
  set parked_at = case when $3::text is not null then statement_timestamp() end, unsettled_since = statement_timestamp()
  where subscription_id = $1 and (parked_at is not null) <> ($3::text is not null)
)
insert into webhook.subscription_health as h (subscription_id, application_id, park_reason, hold_until, budget, budget_goal, failures,
                                              failing_since, throttling, holds, worker_process_id, owned_until)
values ($1, $2, $3, statement_timestamp() + $4::float8 * interval '1 millisecond', $5, $6, $7,
        statement_timestamp() - $8::float8 * interval '1 millisecond', $9, $10,
        case when $3::text is not null then $11::integer end,
        case when $3::text is not null then statement_timestamp() + $12::integer * interval '1 millisecond' end)
on conflict on constraint subscription_health_pkey do update
set park_reason = excluded.park_reason, hold_until = excluded.hold_until, budget = excluded.budget, budget_goal = excluded.budget_goal,
    failures = excluded.failures, failing_since = excluded.failing_since, throttling = excluded.throttling, holds = excluded.holds,
    changed_at = statement_timestamp(),
    worker_process_id = case
      when excluded.park_reason is null then null
      when h.owned_until > statement_timestamp() then h.worker_process_id
      else excluded.worker_process_id
    end,
    owned_until = case
      when excluded.park_reason is null then null
      when h.owned_until > statement_timestamp() then h.owned_until
      else excluded.owned_until
    end
`;
