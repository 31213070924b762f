import { z } from 'zod';
import { sentCount, sentTextMap, sentUuid, uuid } from '../http/schemas.ts';

export const responseParams = z.object({ response_id: uuid });

export const responseView = z
  .object({
    response_id: sentUuid,
    response_error_name: z.string().nullable(),
    http_code: sentCount.nullable(),
    headers: sentTextMap.nullable(),
    body: z.string().nullable(),
    body_encoding: z.enum(['utf8', 'base64']),
    body_truncated: z.boolean(),
    elapsed_time_ms: sentCount,
  })
  .meta({ id: 'Response' });
