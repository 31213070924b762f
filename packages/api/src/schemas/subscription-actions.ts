import { secretOverlapMsMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import { optional, text, textMap, uuid } from '../http/schemas.ts';
import { duration } from './duration.ts';

export const subscriptionActionParams = z.object({ subscription_id: uuid });

export const rotatePost = z.object({ overlap: optional(duration(0, secretOverlapMsMax)) });

export const testPost = z.object({
  event_type: optional(text(1, 200)),
  // A string, or any JSON value where the content type says JSON, as in an event.
  payload: z.unknown().optional(),
  payload_content_type: optional(z.string()),
});

export const matchPost = z.object({
  application_id: uuid,
  event_type: text(1, 200),
  labels: textMap({ entriesMax: 10, bytesMax: 50 }),
});

export const retryParams = z.object({ request_attempt_id: uuid });

export const retryPost = z.object({ application_id: uuid });

const sentUuid = z.string().meta({ format: 'uuid' });

export const pauseView = z
  .object({ subscription_id: sentUuid, is_paused: z.boolean(), paused_at: z.date().nullable() })
  .meta({ id: 'SubscriptionPause' });

export const rotationView = z
  .object({
    subscription_id: sentUuid,
    secret: sentUuid,
    standard_webhooks_secret: z.string(),
    previous_secret_ends_at: z.date().nullable(),
  })
  .meta({ id: 'SecretRotation' });

export const testView = z
  .object({ subscription_id: sentUuid, event_id: sentUuid, event_type: z.string(), request_attempt_id: sentUuid })
  .meta({ id: 'SubscriptionTest' });

const matchReason = z.object({
  code: z.enum(['disabled', 'paused', 'event_type_not_listed', 'label_missing', 'label_differs']),
  label: z.string().nullable(),
  wanted: z.string().nullable(),
  got: z.string().nullable(),
});

export const matchView = z
  .object({
    subscriptions: z.array(
      z.object({
        subscription_id: sentUuid,
        description: z.string().nullable(),
        delivery: z.enum(['now', 'when_resumed', 'never']),
        reasons: z.array(matchReason),
      }),
    ),
  })
  .meta({ id: 'SubscriptionMatch' });

export const retryView = z
  .object({
    request_attempt_id: sentUuid,
    event_id: sentUuid,
    subscription_id: sentUuid,
    outcome: z.enum(['created', 'hastened', 'in_progress']),
  })
  .meta({ id: 'AttemptRetry' });
