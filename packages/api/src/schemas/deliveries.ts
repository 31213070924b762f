import { z } from 'zod';
import { cursor } from '../http/pagination.ts';
import { applicationQuery, sentCount, sentTime, sentUuid, uuid } from '../http/schemas.ts';
import { eventStatusView } from './event-list.ts';

export const deliveriesParams = z.object({ event_id: uuid });

export const deliveriesQuery = applicationQuery.extend({ pagination_cursor: cursor([uuid]).optional() });

const deliveryView = z
  .object({
    subscription: z.object({ subscription_id: sentUuid, description: z.string().nullable() }),
    state: z.enum(['not_planned', 'waiting', 'pending', 'in_progress', 'paused', 'held', 'limited', 'successful', 'failed', 'cancelled']),
    reason: z
      .enum([
        'retries_exhausted',
        'gone',
        'invalid_header',
        'claims_exhausted',
        'subscription_disabled',
        'subscription_deleted',
        'cancelled',
        'other',
      ])
      .nullable(),
    explanation: z.string(),
    attempts: sentCount,
    next_attempt: z
      .object({ request_attempt_id: sentUuid, retry_count: sentCount, retries_max: sentCount.nullable(), at: sentTime.nullable() })
      .nullable(),
    last_attempt: z
      .object({
        request_attempt_id: sentUuid,
        retry_count: sentCount,
        status: z.enum(['successful', 'failed']),
        at: sentTime,
        http_response_status: sentCount.nullable(),
        error_name: z.string().nullable(),
        response_id: sentUuid.nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Delivery' });

/** What has become of an event, subscription by subscription. */
export const eventDeliveriesView = z
  .object({
    event_id: sentUuid,
    event_type_name: z.string(),
    received_at: sentTime,
    status: eventStatusView,
    no_match_at: sentTime.nullable(),
    deliveries: z.array(deliveryView),
  })
  .meta({ id: 'EventDeliveries' });
