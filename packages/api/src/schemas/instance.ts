import { z } from 'zod';
import { sentCount } from '../http/schemas.ts';
import { payloadContentTypes } from './events.ts';

export const errorParams = z.object({ id: z.string() });

/** A wrong key is a wrong key, whatever it is made of. */
export const healthQuery = z.object({ key: z.unknown().optional() });

/** What `/errors` says of a problem. */
export const explainedProblemView = z
  .object({ type: z.url(), id: z.string(), title: z.string(), detail: z.string(), status: sentCount })
  .meta({ id: 'ExplainedProblem' });

export const payloadContentTypesView = z.array(z.enum(payloadContentTypes));

export const instanceView = z
  .object({
    biscuit_public_key: z.string(),
    support_email_address: z.string(),
    registration_disabled: z.boolean(),
    auto_db_migration: z.boolean(),
    application_secret_compatibility: z.boolean(),
    quota_enforcement: z.boolean(),
    password_minimum_length: sentCount,
    matomo: z.null(),
    formbricks: z.null(),
    cloudflare_turnstile_site_key: z.null(),
  })
  .meta({ id: 'InstanceConfig' });

export const healthView = z
  .object({
    database: z.boolean(),
    pulsar: z.null(),
    object_storage: z.null(),
    database_duration_ms: sentCount,
    total_duration_ms: sentCount,
  })
  .meta({ id: 'Health' });
