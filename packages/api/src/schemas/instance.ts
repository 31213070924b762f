import { z } from 'zod';
import { sentCount } from '../http/schemas.ts';
import { payloadContentTypes } from './events.ts';
import { sentLimit } from './quotas.ts';

/** A wrong key is a wrong key, whatever it is made of. */
export const healthQuery = z.object({ key: z.unknown().optional().meta({ type: 'string' }) });

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

export const quotasView = z
  .object({
    enabled: z.boolean(),
    limits: z
      .object({
        global_members_per_organization_limit: sentLimit,
        global_applications_per_organization_limit: sentLimit,
        global_events_per_day_limit: sentLimit,
        global_days_of_events_retention_limit: sentLimit,
        global_subscriptions_per_application_limit: sentLimit,
        global_event_types_per_application_limit: sentLimit,
      })
      .meta({ description: 'No limit is 2147483647.' }),
  })
  .meta({ id: 'Quotas' });

export const environmentVariableView = z
  .object({
    name: z.string().min(1).meta({ description: 'As a flag, without its hyphens in front.' }),
    env_var: z.string().min(1),
    description: z.string().nullable(),
    default: z.string().nullable(),
    group: z.string().nullable(),
    sensitive: z.boolean(),
    required: z.boolean(),
  })
  .meta({ id: 'EnvironmentVariable' });
