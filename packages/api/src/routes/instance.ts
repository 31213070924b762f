import { timingSafeEqual } from 'node:crypto';
import { checkDatabase } from '@postrider/shared/database/queries/check-database';
import { tokenHash } from '@postrider/shared/secrets/sealed-secret';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { isProblemId, ProblemError, type ProblemId, problems, problemTypeUrl } from '../problems.ts';
import { payloadContentTypes } from '../schemas/events.ts';
import { errorParams, explainedProblemView, healthQuery, healthView, instanceView, payloadContentTypesView } from '../schemas/instance.ts';

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
      name: 'errors.list',
      summary: 'Lists the problems that requests can end with',
      method: 'get',
      path: '/errors',
      access: 'public',
      answer: { status: 200, schema: z.array(explainedProblemView) },
      async handle({ origin }) {
        return {
          status: 200,
          body: Object.keys(problems)
            .filter(isProblemId)
            .map((id) => problemOf(origin, id)),
        };
      },
    }),
    defineRoute({
      name: 'errors.get',
      summary: 'Explains a problem',
      method: 'get',
      path: '/errors/:id',
      access: 'public',
      params: errorParams,
      answer: { status: 200, schema: explainedProblemView },
      problems: ['NotFound'],
      async handle({ origin, params }) {
        const id = params.id;
        if (!isProblemId(id)) {
          throw new ProblemError('NotFound', { detail: 'There is no error of this name.' });
        }
        return { status: 200, body: problemOf(origin, id) };
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
      name: 'instance.health',
      summary: 'Tells whether the installation works',
      method: 'get',
      path: '/health',
      access: 'public',
      query: healthQuery,
      answer: { status: 200, schema: healthView },
      problems: ['NotFound', 'Forbidden'],
      handle: (request) => checkHealth(context, request.query.key),
    }),
  ];
}

function instanceOf({ settings }: ApiContext): z.output<typeof instanceView> {
  return {
    biscuit_public_key: '',
    support_email_address: settings.supportEmailAddress,
    registration_disabled: true,
    auto_db_migration: settings.autoDbMigration,
    application_secret_compatibility: true,
    quota_enforcement: false,
    password_minimum_length: 12,
    matomo: null,
    formbricks: null,
    cloudflare_turnstile_site_key: null,
  };
}

function problemOf(origin: string, id: ProblemId): z.output<typeof explainedProblemView> {
  return { type: problemTypeUrl(origin, id), id, ...problems[id] };
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
