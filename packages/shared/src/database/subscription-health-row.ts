import { healthy, type ParkReason, type SubscriptionHealth } from '../domain/subscription-health.ts';

/** What the database keeps of a subscription's health. Times are milliseconds from the moment of the query. */
export interface SubscriptionHealthRow {
  readonly park_reason: ParkReason | null;
  readonly hold_left_ms: number | null;
  readonly budget: number | null;
  readonly budget_goal: number | null;
  readonly failures: number | null;
  readonly failing_for_ms: number | null;
  readonly throttling: number | null;
  readonly holds: number | null;
}

/**
 * A health by the caller's clock, on which the query was made at `nowMs`. A row of nulls only, as a join without a partner gives it, is a
 * healthy subscription.
 */
export function healthOf(row: SubscriptionHealthRow, nowMs: number): SubscriptionHealth {
  return {
    parkReason: row.park_reason,
    holdUntilMs: row.hold_left_ms === null ? null : nowMs + row.hold_left_ms,
    budget: row.budget ?? healthy.budget,
    budgetGoal: row.budget_goal,
    failures: row.failures ?? healthy.failures,
    failingSinceMs: row.failing_for_ms === null ? null : nowMs - row.failing_for_ms,
    throttling: row.throttling ?? healthy.throttling,
    holds: row.holds ?? healthy.holds,
  };
}

/** The columns of a health in a select list, for a table or alias named `h`. */
export const healthColumns = `
h.park_reason, (extract(epoch from h.hold_until - statement_timestamp()) * 1000)::float8 as hold_left_ms, h.budget, h.budget_goal, h.failures,
(extract(epoch from statement_timestamp() - h.failing_since) * 1000)::float8 as failing_for_ms, h.throttling, h.holds`;
