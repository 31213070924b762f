import type { Database } from '@postrider/shared/database/pool';
import { findEventKeys } from '@postrider/shared/database/queries/find-event-keys';
import { type EventToIngest, type IngestedRow, ingestEvents } from '@postrider/shared/database/queries/ingest-events';
import { newId } from '@postrider/shared/domain/ids';
import { sha256 } from '@postrider/shared/domain/sha256';

/** An event as its application sent it. */
export interface NewEvent extends Omit<EventToIngest, 'eventId' | 'contentHash'> {
  /** Null when the application leaves the choice to us. */
  readonly eventId: string | null;
}

/** What became of an event. */
export type IngestResult =
  | { readonly kind: 'ingested'; readonly eventId: string; readonly receivedAt: Date }
  | { readonly kind: 'duplicate'; readonly eventId: string; readonly sameContent: boolean }
  | { readonly kind: 'event_type_missing' }
  /** As many as its quota allows were ingested today, which ends after this time. */
  | { readonly kind: 'quota_exceeded'; readonly retryAfterMs: number }
  | { readonly kind: 'application_missing' };

export interface IngestedGroup {
  /** In the order of the events. */
  readonly results: readonly IngestResult[];
  /** The pools of workers that have something to deliver now. */
  readonly poolIds: readonly number[];
  /** The same of attempts that are parked. */
  readonly parkedPoolIds: readonly number[];
}

/** Fixes the id and the hash of the content, so that sending the event to the database again cannot make a second one of it. */
export function prepareEvent(event: NewEvent): EventToIngest {
  return { ...event, eventId: event.eventId ?? newId(), contentHash: hashContent(event) };
}

/** SHA-256 over everything that makes two events the same: type, payload, content type, labels, metadata and when it occurred. */
function hashContent(event: NewEvent): Buffer {
  const head = JSON.stringify([
    event.eventTypeName,
    event.payloadContentType,
    event.occurredAt.getTime(),
    sortedEntries(event.labels),
    sortedEntries(event.metadata),
  ]);
  // In one call: an object for each hash costs more than the copy.
  return sha256(Buffer.concat([Buffer.from(`${head}\0`), event.payload]));
}

function sortedEntries(map: Readonly<Record<string, string>>): [string, string][] {
  const entries = Object.entries(map);
  return entries.length > 1 ? entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) : entries;
}

/**
 * Ingests a group in one statement and one commit. `isResent` says that the same group may have been committed before: its own rows are
 * then its success, not duplicates.
 */
export async function ingestGroup(db: Database, events: readonly EventToIngest[], isResent: boolean): Promise<IngestedGroup> {
  const leaders = leadersOf(events);
  const leading = leaders === null ? events : [...leaders.values()];
  const rows = await ingestEvents(db, leading);
  const conflicts = rows.filter(isConflict).flatMap(({ ordinality }) => leading[ordinality - 1] ?? []);
  const stored = new Map(conflicts.length === 0 ? [] : (await findEventKeys(db, conflicts)).map((row) => [keyOf(eventOfRow(row)), row]));
  const results: IngestResult[] = Array.from({ length: leading.length });
  let pools: Pick<IngestedGroup, 'poolIds' | 'parkedPoolIds'> = { poolIds: [], parkedPoolIds: [] };
  for (const row of rows) {
    const event = leading[row.ordinality - 1];
    if (event) {
      results[row.ordinality - 1] = resultOf(event, row, stored.size === 0 ? undefined : stored.get(keyOf(event)), isResent);
    }
    if (row.ordinality === 1) {
      pools = { poolIds: row.pool_ids, parkedPoolIds: row.parked_pool_ids };
    }
  }
  return leaders === null
    ? { results, ...pools }
    : addFollowers(db, events, { leaders, stored, results: new Map(leading.map((event, index) => [event, results[index]])), ...pools });
}

/** The first event of each key; null when no two have the same id, which is nearly always so and costs less to find out. */
function leadersOf(events: readonly EventToIngest[]): ReadonlyMap<string, EventToIngest> | null {
  if (new Set(events.map(({ eventId }) => eventId)).size === events.length) {
    return null;
  }
  const leaders = new Map<string, EventToIngest>();
  for (const event of events) {
    const key = keyOf(event);
    leaders.set(key, leaders.get(key) ?? event);
  }
  return leaders;
}

interface Led {
  readonly leaders: ReadonlyMap<string, EventToIngest>;
  readonly stored: ReadonlyMap<string, StoredKey>;
  readonly results: Map<EventToIngest, IngestResult | undefined>;
  readonly poolIds: readonly number[];
  readonly parkedPoolIds: readonly number[];
}

interface StoredKey {
  readonly received_at: Date;
  readonly content_hash: Buffer;
}

/** Events whose id an earlier one of the group has: duplicates of what that one became, or tried next where it was refused. */
async function addFollowers(db: Database, events: readonly EventToIngest[], led: Led): Promise<IngestedGroup> {
  const { leaders, stored, results } = led;
  const refused: EventToIngest[] = [];
  for (const event of events) {
    const leader = leaders.get(keyOf(event));
    if (!leader || leader === event) {
      continue;
    }
    const outcome = results.get(leader);
    if (outcome?.kind === 'ingested' || outcome?.kind === 'duplicate') {
      const contentHash = stored.get(keyOf(event))?.content_hash ?? leader.contentHash;
      results.set(event, { kind: 'duplicate', eventId: event.eventId, sameContent: contentHash.equals(event.contentHash) });
    } else {
      refused.push(event);
    }
  }
  const next = refused.length === 0 ? null : await ingestGroup(db, refused, false);
  refused.forEach((event, index) => results.set(event, next?.results[index] ?? { kind: 'event_type_missing' }));
  return {
    results: events.map((event) => results.get(event) ?? { kind: 'event_type_missing' }),
    poolIds: [...led.poolIds, ...(next?.poolIds ?? [])],
    parkedPoolIds: [...led.parkedPoolIds, ...(next?.parkedPoolIds ?? [])],
  };
}

function isConflict(row: IngestedRow): boolean {
  return row.application_exists && row.event_type_exists && row.received_at === null;
}

function resultOf(event: EventToIngest, row: IngestedRow, stored: StoredKey | undefined, isResent: boolean): IngestResult {
  if (!row.application_exists) {
    return { kind: 'application_missing' };
  }
  if (!row.event_type_exists) {
    return { kind: 'event_type_missing' };
  }
  const { eventId } = event;
  if (row.received_at) {
    return { kind: 'ingested', eventId, receivedAt: row.received_at };
  }
  const sameContent = stored?.content_hash.equals(event.contentHash) ?? false;
  return stored && sameContent && isResent
    ? { kind: 'ingested', eventId, receivedAt: stored.received_at }
    : { kind: 'duplicate', eventId, sameContent };
}

function eventOfRow(row: { readonly application_id: string; readonly event_id: string }) {
  return { applicationId: row.application_id, eventId: row.event_id };
}

function keyOf({ applicationId, eventId }: Pick<EventToIngest, 'applicationId' | 'eventId'>): string {
  return `${applicationId} ${eventId}`;
}
