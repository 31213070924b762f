import { z } from 'zod';
import { eventStatusView } from './event-list.ts';
import { optional, sentTextMap, sentTime, sentTimeText, sentUuid, text, textMap, timestamp, uuid } from '../http/schemas.ts';

const contentTypes = ['text/plain', 'application/json', 'application/octet-stream+base64'] as const;
export type PayloadContentType = (typeof contentTypes)[number];
export const payloadContentTypes: readonly PayloadContentType[] = contentTypes;

export const labelsBounds = { entriesMax: 10, bytesMax: 50 };
export const metadataBounds = { entriesMax: 50, bytesMax: 50 };

/** What an application sends as an event. */
export const eventPost = z
  .object({
    application_id: uuid,
    event_id: optional(uuid).meta({ description: 'Makes a repeated request harmless: it is answered 409. Ours when it is left out.' }),
    event_type: text(1, 200),
    payload: z.unknown().meta({ description: 'A string, or any JSON value where the content type is application/json.' }),
    payload_content_type: z.string().meta({ enum: [...contentTypes] }),
    occurred_at: timestamp,
    labels: textMap(labelsBounds),
    metadata: optional(textMap(metadataBounds)),
  })
  .meta({ id: 'EventPost' });

export type EventPost = z.output<typeof eventPost>;

export const eventParams = z.object({ event_id: uuid });

export const replayPost = z.object({ application_id: uuid, subscription_id: optional(uuid) }).meta({ id: 'ReplayPost' });

export const ingestedEvent = z
  .object({ application_id: sentUuid, event_id: sentUuid, received_at: sentTimeText })
  .meta({ id: 'IngestedEvent' });

export const eventView = z
  .object({
    event_id: sentUuid,
    event_type_name: z.string(),
    payload_content_type: z.string().meta({ enum: [...contentTypes] }),
    ip: z.string().nullable(),
    metadata: sentTextMap,
    occurred_at: sentTime,
    received_at: sentTime,
    labels: sentTextMap,
  })
  .meta({ id: 'Event' });

/** In lists an event says what has become of it. */
export const listedEventView = eventView.extend({ status: eventStatusView }).meta({ id: 'ListedEvent' });

export const eventWithPayloadView = eventView
  .extend({ payload: z.string().meta({ contentEncoding: 'base64' }) })
  .meta({ id: 'EventWithPayload' });
