import type { Database } from '@postrider/shared/database/pool';
import { findEventKeys } from '@postrider/shared/database/queries/find-event-keys';
import { type EventToIngest, ingestEvents } from '@postrider/shared/database/queries/ingest-events';
import { newId } from '@postrider/shared/domain/ids';
import { sha256 } from '@postrider/shared/domain/sha256';

/** An event as its application sent it. */
export interface NewEvent extends Omit<EventToIngest, 'eventId' | 'contentHash'> {
  /** Null when the application leaves the choice to us. */
  readonly eventId: string | null;
}

/** What became of an event. */
export type IngestResult =
  /** `receivedAt` as the client hears it: all of a group have the same, so it is written once for them. */
  | { readonly kind: 'ingested'; readonly eventId: string; readonly receivedAt: string }
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

/** Where most of what is hashed is put together: memory of its own for each costs as much as the hash of a small event. */
const hashed = Buffer.allocUnsafeSlow(64 * 1024);
/** Of a character of a string, which is half of one of four bytes. */
const utf8BytesMax = 3;

/** SHA-256 over everything that makes two events the same: type, payload, content type, labels, metadata and when it occurred. */
function hashContent(event: NewEvent): Buffer {
  const { payload } = event;
  const facts = JSON.stringify([
    event.eventTypeName,
    event.payloadContentType,
    event.occurredAt.getTime(),
    sortedEntries(event.labels),
    sortedEntries(event.metadata),
  ]);
  const head = `${facts}\0`;
  // In one call: an object for each hash costs more than the copy.
  if (head.length * utf8BytesMax + payload.length > hashed.length) {
    return sha256(Buffer.concat([Buffer.from(head), payload]));
  }
  const headBytes = hashed.write(head);
  payload.copy(hashed, headBytes);
  return sha256(hashed.subarray(0, headBytes + payload.length));
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
  const ingested = await ingestEvents(db, leading);
  const { poolIds, parkedPoolIds } = ingested;
  const receivedAt = ingested.receivedAt.toISOString();
  const results: IngestResult[] = leading.map(({ eventId }) => ({ kind: 'ingested', eventId, receivedAt }));
  ingested.withoutApplication.forEach((position) => (results[position] = { kind: 'application_missing' }));
  ingested.withoutEventType.forEach((position) => (results[position] = { kind: 'event_type_missing' }));
  const conflicts = ingested.withTakenId.flatMap((position) => leading[position] ?? []);
  const stored = new Map(conflicts.length === 0 ? [] : (await findEventKeys(db, conflicts)).map((row) => [keyOf(eventOfRow(row)), row]));
  ingested.withTakenId.forEach((position, index) => {
    const event = conflicts[index];
    if (event) {
      results[position] = resultOfTakenId(event, stored.get(keyOf(event)), isResent);
    }
  });
  return leaders === null
    ? { results, poolIds, parkedPoolIds }
    : addFollowers(db, events, {
        leaders,
        stored,
        results: new Map(leading.map((event, index) => [event, results[index]])),
        poolIds,
        parkedPoolIds,
      });
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

/** When the same group may have been committed before, its own event is its success. */
function resultOfTakenId(event: EventToIngest, stored: StoredKey | undefined, isResent: boolean): IngestResult {
  const { eventId } = event;
  const sameContent = stored?.content_hash.equals(event.contentHash) ?? false;
  return stored && sameContent && isResent
    ? { kind: 'ingested', eventId, receivedAt: stored.received_at.toISOString() }
    : { kind: 'duplicate', eventId, sameContent };
}

function eventOfRow(row: { readonly application_id: string; readonly event_id: string }) {
  return { applicationId: row.application_id, eventId: row.event_id };
}

function keyOf({ applicationId, eventId }: Pick<EventToIngest, 'applicationId' | 'eventId'>): string {
  return `${applicationId} ${eventId}`;
}
