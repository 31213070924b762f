import { timingSafeEqual } from 'node:crypto';
import { checkDatabase } from '@postrider/shared/database/queries/check-database';
import { tokenHash } from '@postrider/shared/secrets/sealed-secret';
import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { payloadContentTypes } from '../schemas/events.ts';
import { healthQuery, healthView, instanceView, payloadContentTypesView, quotasView } from '../schemas/instance.ts';

/** What the installation says of itself. */
export function instanceRoutes(context: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'instance.get',
      summary: 'Describes this installation',
      method: 'get',
      path: '/instance',
      access: 'public',
      answer: { status: 200, schema: instanceView },
      async handle() {
        return { status: 200, body: instanceOf(context) };
      },
    }),
    defineRoute({
      name: 'payload_content_types.list',
      summary: 'Lists the content types that payloads can have',
      method: 'get',
      path: '/payload_content_types',
      access: 'public',
      answer: { status: 200, schema: payloadContentTypesView },
      async handle() {
        return { status: 200, body: payloadContentTypes };
      },
    }),
    defineRoute({
      name: 'instance.quotas',
      summary: 'Tells the limits of this installation',
      method: 'get',
      path: '/quotas',
      access: 'public',
      answer: { status: 200, schema: quotasView },
      async handle() {
        return { status: 200, body: quotasOf(context) };
      },
    }),
    defineRoute({
      name: 'instance.health',
      summary: 'Tells whether the installation works',
      method: 'get',
      path: '/health',
      access: 'public',
      query: healthQuery,
      answer: { status: 200, schema: healthView },
      otherAnswers: [{ status: 503, schema: healthView }],
      problems: ['NotFound', 'Forbidden'],
      handle: (request) => checkHealth(context, request.query.key),
    }),
  ];
}

function quotasOf({ quotas: { isEnforced, defaults } }: ApiContext): z.output<typeof quotasView> {
  return {
    enabled: isEnforced,
    limits: {
      global_members_per_organization_limit: defaults.members_per_organization_limit,
      global_applications_per_organization_limit: defaults.applications_per_organization_limit,
      global_events_per_day_limit: defaults.events_per_day_limit,
      global_days_of_events_retention_limit: defaults.days_of_events_retention_limit,
      global_subscriptions_per_application_limit: defaults.subscriptions_per_application_limit,
      global_event_types_per_application_limit: defaults.event_types_per_application_limit,
    },
  };
}

function instanceOf({ settings, quotas }: ApiContext): z.output<typeof instanceView> {
  return {
    biscuit_public_key: '',
    support_email_address: settings.supportEmailAddress,
    registration_disabled: true,
    auto_db_migration: settings.autoDbMigration,
    application_secret_compatibility: true,
    quota_enforcement: quotas.isEnforced,
    password_minimum_length: 12,
    matomo: null,
    formbricks: null,
    cloudflare_turnstile_site_key: null,
  };
}

async function checkHealth(context: ApiContext, given: unknown): Promise<Reply> {
  const { healthCheckKey } = context.settings;
  if (healthCheckKey === null) {
    throw new ProblemError('NotFound');
  }
  if (healthCheckKey !== '' && (typeof given !== 'string' || !timingSafeEqual(tokenHash(given), tokenHash(healthCheckKey)))) {
    throw new ProblemError('Forbidden', { detail: 'The key is not the one of this installation.' });
  }
  const startedAt = context.now();
  const database = await checkDatabase(context.db).then(
    () => true,
    () => false,
  );
  const tookMs = Math.round(context.now() - startedAt);
  const body: z.output<typeof healthView> = {
    database,
    pulsar: null,
    object_storage: null,
    database_duration_ms: tookMs,
    total_duration_ms: tookMs,
  };
  return { status: database ? 200 : 503, body };
}
