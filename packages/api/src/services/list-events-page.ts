import type { Database } from '@postrider/shared/database/pool';
import { isQueueLongerThan } from '@postrider/shared/database/queries/is-queue-longer-than';
import { listEvents, type ListedEventRow } from '@postrider/shared/database/queries/list-events';
import { listEventsOfTypes } from '@postrider/shared/database/queries/list-events-of-types';
import { listGivenUpEvents } from '@postrider/shared/database/queries/list-given-up-events';
import { listQueuedEvents } from '@postrider/shared/database/queries/list-queued-events';
import { type EventStatus, loadEventStatuses } from '@postrider/shared/database/queries/load-event-statuses';
import { eventListWindow, eventStatusWindow, queueWalkMax } from '@postrider/shared/domain/limits';

export interface EventsPageRequest {
  readonly applicationId: string;
  /** Null for all types. */
  readonly eventTypeNames: readonly string[] | null;
  /** Null for all statuses. */
  readonly statuses: readonly EventStatus[] | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Where the page before ended; null at the start. */
  readonly after: EventPosition | null;
  readonly skip: number;
  readonly size: number;
}

/** A place in the order of a list. */
export interface EventPosition {
  readonly receivedAt: Date;
  readonly eventId: string;
}

export interface EventsPage {
  readonly events: readonly (ListedEventRow & { readonly status: EventStatus })[];
  /** Where the next page begins; null when there is none. */
  readonly next: EventPosition | null;
}

/**
 * A page of an application's events, newest first. Types are found by index; labels and statuses in a window of the newest events that
 * are left, so that a page may be short, even empty, and still have a next one.
 */
export async function listEventsPage(db: Database, request: EventsPageRequest): Promise<EventsPage> {
  const isFiltered = request.statuses !== null || Object.keys(request.labels).length > 0;
  // Skipping is counted in what matches, which the statement does not know of events that have to be judged first.
  const skip = isFiltered ? request.skip : 0;
  const limit = request.statuses === null ? skip + request.size + 1 : eventStatusWindow;
  const looked = await lookAt(db, request, { limit, offset: isFiltered ? 0 : request.skip });
  const statuses = request.statuses === null ? null : await loadEventStatuses(db, request.applicationId, looked);
  const { found, next } = pick(looked, {
    until: skip + request.size,
    limit,
    fits: (row) => row.matches && (statuses === null || request.statuses?.includes(statuses.get(row.event_id) ?? 'no_match') === true),
  });
  const page = found.slice(skip);
  const shown = statuses ?? (await loadEventStatuses(db, request.applicationId, page));
  return { events: page.map((row) => ({ ...row, status: shown.get(row.event_id) ?? 'no_match' })), next };
}

const openStatuses: ReadonlySet<EventStatus> = new Set(['waiting', 'pending', 'in_progress']);
const failedStatuses: ReadonlySet<EventStatus> = new Set(['failed', 'partially_failed']);

/** The newest events that may match, from the shortest list that has them all: the queue, the failures, or all events. */
async function lookAt(
  db: Database,
  request: EventsPageRequest,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<ListedEventRow[]> {
  const { statuses, eventTypeNames, ...filter } = request;
  if (statuses?.every((status) => openStatuses.has(status)) && !(await isQueueLongerThan(db, request.applicationId, queueWalkMax))) {
    return listQueuedEvents(db, { ...filter, eventTypeNames, limit });
  }
  if (statuses?.every((status) => failedStatuses.has(status))) {
    return listGivenUpEvents(db, { ...filter, eventTypeNames, limit, window: eventStatusWindow });
  }
  return eventTypeNames === null
    ? listEvents(db, { ...filter, window: eventListWindow, offset, limit })
    : listEventsOfTypes(db, { ...filter, eventTypeNames, window: Math.ceil(eventListWindow / eventTypeNames.length), offset, limit });
}

/** What matches, up to one position, and where to go on: after the last that is shown, or after the last that was looked at. */
function pick(
  rows: readonly ListedEventRow[],
  { until, limit, fits }: { readonly until: number; readonly limit: number; readonly fits: (row: ListedEventRow) => boolean },
): { readonly found: readonly ListedEventRow[]; readonly next: EventPosition | null } {
  const found: ListedEventRow[] = [];
  for (const [index, row] of rows.entries()) {
    const isFit = fits(row);
    if (isFit && found.length === until) {
      return { found, next: positionOf(found.at(-1) ?? row) };
    }
    if (isFit) {
      found.push(row);
    }
    // Of several windows the first that ends is the end of all: what lies behind it has not been seen whole.
    if (row.is_window_end || index === limit - 1) {
      return { found, next: positionOf(row) };
    }
  }
  return { found, next: null };
}

function positionOf(row: ListedEventRow): EventPosition {
  return { receivedAt: row.received_at, eventId: row.event_id };
}
