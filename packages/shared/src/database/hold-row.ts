import { describeHold, type HeldBy, type HoldDescription, type HoldFacts } from '../domain/describe-health.ts';

/** What the database knows of what keeps a subscription's attempts back. */
export interface HoldRow {
  readonly held_by: HeldBy | null;
  /** Null when it has passed. */
  readonly hold_until: Date | null;
  readonly receiver_failures: number;
}

/** The facts of a row. */
export function holdFactsOf(row: HoldRow): HoldFacts {
  return { heldBy: row.held_by, holdUntil: row.hold_until, failures: row.receiver_failures };
}

/** What keeps the attempt of a row back; null when nothing does. */
export function holdOf(row: HoldRow): HoldDescription | null {
  return describeHold(holdFactsOf(row));
}

/** The columns of a hold in a select list, for the subscription `s` and its health `h`, which may be missing. */
export const holdColumns = `
case when s.paused_at is not null then 'paused' else h.park_reason end as held_by,
case when s.paused_at is null and h.park_reason is not null and h.hold_until > statement_timestamp() then h.hold_until end as hold_until,
coalesce(h.failures, 0) as receiver_failures`;
