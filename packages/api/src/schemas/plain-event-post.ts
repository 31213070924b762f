import { normalizeUuid } from '@postrider/shared/domain/ids';
import { readTimestamp } from '../http/schemas.ts';
import { type EventPost, labelsBounds, metadataBounds } from './events.ts';

/** Texts of this kind have as many bytes as characters, none of which is a control character. */
const plainType = /^[\x20-\x7e]{1,200}$/;
const plainPart = /^[\x20-\x7e]{1,50}$/;

/**
 * Reads an event that is as most are: in plain ASCII but for its payload, which is a text. Null for all others, which `eventPost` reads or
 * refuses; whatever is read here it would read the same. In a busy process the schema takes an eighth of the whole request, this a fraction
 * of that.
 */
export function readPlainEventPost(value: unknown): EventPost | null {
  if (!isRecord(value)) {
    return null;
  }
  const { event_type: eventType, payload, payload_content_type: contentType } = value;
  const applicationId = typeof value['application_id'] === 'string' ? normalizeUuid(value['application_id']) : null;
  const eventId = readOptional(value['event_id'], (id) => (typeof id === 'string' ? normalizeUuid(id) : null));
  const occurredAt = typeof value['occurred_at'] === 'string' ? readTimestamp(value['occurred_at']) : null;
  const labels = readPlainMap(value['labels'], labelsBounds.entriesMax);
  const metadata = readOptional(value['metadata'], (map) => readPlainMap(map, metadataBounds.entriesMax));
  if (
    applicationId === null ||
    eventId === undefined ||
    typeof eventType !== 'string' ||
    !plainType.test(eventType) ||
    typeof payload !== 'string' ||
    typeof contentType !== 'string' ||
    occurredAt === null ||
    labels === null ||
    metadata === undefined
  ) {
    return null;
  }
  return {
    application_id: applicationId,
    event_id: eventId,
    event_type: eventType,
    payload,
    payload_content_type: contentType,
    occurred_at: occurredAt,
    labels,
    metadata,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null where it is left out, and undefined for what is to be read elsewhere. */
function readOptional<T>(value: unknown, read: (value: unknown) => T | null): T | null | undefined {
  return value === undefined || value === null ? null : (read(value) ?? undefined);
}

function readPlainMap(value: unknown, entriesMax: number): Record<string, string> | null {
  return isRecord(value) && isPlainMap(value, entriesMax) ? value : null;
}

/** Once over its keys: lists of its entries cost more than looking at them. */
function isPlainMap(value: Record<string, unknown>, entriesMax: number): value is Record<string, string> {
  let entries = 0;
  for (const key in value) {
    const part = value[key];
    entries += 1;
    if (entries > entriesMax || typeof part !== 'string' || !plainPart.test(key) || !plainPart.test(part)) {
      return false;
    }
  }
  return true;
}
