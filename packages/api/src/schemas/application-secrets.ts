import { z } from 'zod';
import { optional, sentTime, sentUuid, text, uuid } from '../http/schemas.ts';

export const applicationSecretPost = z.object({ application_id: uuid, name: optional(text(1, 50)) }).meta({ id: 'ApplicationSecretPost' });

export const applicationSecretParams = z.object({ application_secret_token: uuid });

export const applicationSecretView = z
  .object({ name: z.string().nullable(), token: sentUuid, created_at: sentTime, deleted_at: sentTime.nullable() })
  .meta({ id: 'ApplicationSecret' });
