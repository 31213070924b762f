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

export type ListedEvent = ListedEventRow & { readonly status: EventStatus };

export interface EventsPage {
  readonly events: readonly ListedEvent[];
  /** Where the next page begins; null when there is none. */
  readonly next: EventPosition | null;
}

/**
 * A page of an application's events, newest first. Types are found by index; labels and statuses in a window of the newest events that
 * are left, so that a page may be short, even empty, and still have a next one.
 */
export async function listEventsPage(db: Database, request: EventsPageRequest): Promise<EventsPage> {
  if (request.statuses !== null) {
    return listByStatus(db, request, new Set(request.statuses));
  }
  // With labels, skipping counts what matches.
  const skip = Object.keys(request.labels).length > 0 ? request.skip : 0;
  const limit = skip + request.size + 1;
  const rows = await lookAt(db, request, { limit, offset: request.skip - skip });
  const { found, next } = pick(rows, { room: skip + request.size, limit, fits: (row) => row.matches });
  const page = found.slice(skip);
  return { events: withStatuses(page, await loadEventStatuses(db, request.applicationId, page)), next };
}

/** Events are judged some at a time, until the page is full or the window ends. */
async function listByStatus(db: Database, request: EventsPageRequest, wanted: ReadonlySet<EventStatus>): Promise<EventsPage> {
  const shownUntil = request.skip + request.size;
  const found: ListedEvent[] = [];
  let after = request.after;
  let looked = 0;
  for (;;) {
    const room = shownUntil - found.length;
    const limit = Math.min(eventStatusWindow - looked, Math.max(2 * room, looked, judgedAtOnceMin));
    const rows = await lookAt(db, { ...request, after }, { limit, offset: 0 });
    const judged = withStatuses(rows, await loadEventStatuses(db, request.applicationId, rows));
    const picked = pick(judged, { room, limit, fits: (row) => row.matches && wanted.has(row.status) });
    found.push(...picked.found);
    looked += limit;
    if (picked.next === null || picked.isEnd || looked === eventStatusWindow || found.length === shownUntil) {
      return { events: found.slice(request.skip), next: picked.next };
    }
    after = picked.next;
  }
}

function withStatuses(rows: readonly ListedEventRow[], statuses: ReadonlyMap<string, EventStatus>): ListedEvent[] {
  return rows.map((row) => ({ ...row, status: statuses.get(row.event_id) ?? 'no_match' }));
}

const judgedAtOnceMin = 100;
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
    return listQueuedEvents(db, { ...filter, eventTypeNames, statuses, limit });
  }
  if (statuses?.every((status) => failedStatuses.has(status))) {
    return listGivenUpEvents(db, { ...filter, eventTypeNames, limit });
  }
  return eventTypeNames === null
    ? listEvents(db, { ...filter, window: eventListWindow, offset, limit })
    : listEventsOfTypes(db, { ...filter, eventTypeNames, window: Math.ceil(eventListWindow / eventTypeNames.length), offset, limit });
}

interface Picked<Row> {
  readonly found: readonly Row[];
  /** Where to go on: after the last that is shown, or after the last that was looked at. Null when there is nothing more. */
  readonly next: EventPosition | null;
  /** Whether the page is full, or so many events were looked at for their labels that it ends here. */
  readonly isEnd: boolean;
}

/** What matches of the rows that were looked at, as far as there is room. */
function pick<Row extends ListedEventRow>(
  rows: readonly Row[],
  { room, limit, fits }: { readonly room: number; readonly limit: number; readonly fits: (row: Row) => boolean },
): Picked<Row> {
  const found: Row[] = [];
  for (const [index, row] of rows.entries()) {
    const isFit = fits(row);
    if (isFit && found.length === room) {
      return { found, next: positionOf(found.at(-1) ?? row), isEnd: true };
    }
    if (isFit) {
      found.push(row);
    }
    // Of several windows the first that ends is the end of all: what lies behind it has not been seen whole.
    if (row.is_window_end || index === limit - 1) {
      return { found, next: positionOf(row), isEnd: row.is_window_end };
    }
  }
  return { found, next: null, isEnd: true };
}

function positionOf(row: ListedEventRow): EventPosition {
  return { receivedAt: row.received_at, eventId: row.event_id };
}
