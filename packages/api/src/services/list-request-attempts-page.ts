import type { Database } from '@postrider/shared/database/pool';
import { listEventAttempts } from '@postrider/shared/database/queries/list-event-attempts';
import {
  listRequestAttempts,
  type RequestAttemptRow,
  type RequestAttemptStatus,
} from '@postrider/shared/database/queries/list-request-attempts';
import { firstIdAt, idMax, idMin } from '@postrider/shared/domain/ids';
import { attemptListWindow } from '@postrider/shared/domain/limits';

export interface RequestAttemptsPageRequest {
  readonly applicationId: string;
  readonly eventId: string | null;
  readonly subscriptionId: string | null;
  readonly eventTypeNames: readonly string[] | null;
  readonly minCreatedAt: Date | null;
  readonly maxCreatedAt: Date | null;
  readonly statuses: readonly RequestAttemptStatus[] | null;
  /** The id that the page before ended with; null at the start. */
  readonly after: string | null;
  readonly size: number;
}

export interface RequestAttemptsPage {
  readonly attempts: readonly RequestAttemptRow[];
  /** The id after which the next page begins; null when there is none. */
  readonly next: string | null;
}

/** Ids are made by more than one clock; by this much they may differ from the time that stands beside them. */
const clockToleranceMs = 60_000;

/**
 * A page of request attempts, newest first. Those of an event or a subscription, of a time, and failures are found by index; other filters
 * choose among the newest that are left, so that a page may be short, even empty, and still have a next one.
 */
export async function listRequestAttemptsPage(db: Database, request: RequestAttemptsPageRequest): Promise<RequestAttemptsPage> {
  const { eventId, after, minCreatedAt, maxCreatedAt, size } = request;
  const idBefore = maxCreatedAt === null ? idMax : firstIdAt(maxCreatedAt.getTime() + clockToleranceMs);
  const idBelow = after !== null && after < idBefore ? after : idBefore;
  const filter = { ...request, idBelow, limit: size + 1 };
  if (eventId !== null) {
    const rows = await listEventAttempts(db, eventId, filter);
    return { attempts: rows.slice(0, size), next: rows.length > size ? (rows[size - 1]?.request_attempt_id ?? null) : null };
  }
  const idFrom = minCreatedAt === null ? idMin : firstIdAt(minCreatedAt.getTime() - clockToleranceMs);
  const attempts: RequestAttemptRow[] = [];
  // Where every attempt matches, the window is the page.
  const window = everyOneMatches(request) ? filter.limit : attemptListWindow;
  for (const row of await listRequestAttempts(db, { ...filter, idFrom, window })) {
    if (row.matches && attempts.length === size) {
      return { attempts, next: attempts.at(-1)?.request_attempt_id ?? null };
    }
    if (row.matches) {
      attempts.push(row);
    }
    // What lies behind the end of one window, of the queue or of the log, has not been seen whole.
    if (row.is_window_end) {
      return { attempts, next: row.request_attempt_id };
    }
  }
  return { attempts, next: null };
}

function everyOneMatches({ eventTypeNames, statuses, minCreatedAt, maxCreatedAt }: RequestAttemptsPageRequest): boolean {
  return [eventTypeNames, statuses, minCreatedAt, maxCreatedAt].every((filter) => filter === null);
}
