import { z } from 'zod';
import { cursor } from '../http/pagination.ts';
import { applicationQuery, sentCount, sentTime, sentUuid, timestamp, uuid } from '../http/schemas.ts';

const statuses = ['waiting', 'pending', 'in_progress', 'successful', 'failed'] as const;

function commaSeparated(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export const requestAttemptListQuery = applicationQuery.extend({
  event_id: uuid.optional(),
  subscription_id: uuid.optional(),
  min_created_at: timestamp.optional(),
  max_created_at: timestamp.optional(),
  'event.event_type_names': z.string().transform(commaSeparated).optional().meta({ description: 'Names, separated by commas.' }),
  status: z
    .string()
    .transform(commaSeparated)
    .pipe(z.array(z.enum(statuses)))
    .optional()
    .meta({ pattern: `^(?:(?:${statuses.join('|')})(?:,|$))*$`, description: `Separated by commas: ${statuses.join(', ')}.` }),
  pagination_cursor: cursor([uuid]).optional(),
});

export const requestAttemptParams = z.object({ request_attempt_id: uuid });

/** Where an attempt stands, tagged by `type`. */
export const requestAttemptStatusView = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('waiting'), since: sentTime, until: sentTime }),
    z.object({ type: z.literal('pending'), since: sentTime }),
    z.object({ type: z.literal('in_progress'), since: sentTime }),
    z.object({ type: z.enum(['successful', 'failed']), at: sentTime, full_processing_ms: z.int().min(0) }),
  ])
  .meta({ id: 'RequestAttemptStatus' });

export const requestAttemptView = z
  .object({
    request_attempt_id: sentUuid,
    event_id: sentUuid,
    event: z.object({ event_id: sentUuid, event_type_name: z.string() }),
    subscription: z.object({ subscription_id: sentUuid, description: z.string().nullable() }),
    created_at: sentTime,
    picked_at: sentTime.nullable(),
    failed_at: sentTime.nullable(),
    succeeded_at: sentTime.nullable(),
    delay_until: sentTime.nullable(),
    response_id: sentUuid.nullable(),
    retry_count: sentCount,
    http_response_status: sentCount.nullable(),
    status: requestAttemptStatusView,
    reason: z.string().nullable(),
    why: z.string().nullable().meta({ description: 'What keeps an attempt back that waits or is due.' }),
    hold_until: sentTime.nullable().meta({ description: 'Nothing is sent to the subscription before.' }),
  })
  .meta({ id: 'RequestAttempt' });
