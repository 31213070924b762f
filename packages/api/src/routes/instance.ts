import { timingSafeEqual } from 'node:crypto';
import { checkDatabase } from '@postrider/shared/database/queries/check-database';
import { tokenHash } from '@postrider/shared/secrets/sealed-secret';
import type { ApiContext } from '../context.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import { ProblemError, type ProblemId, problems, problemTypeUrl } from '../problems.ts';
import { payloadContentTypes } from './event-post.ts';

/** What the installation says of itself. */
export function instanceRoutes(context: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/instance',
      access: 'public',
      async handle() {
        return { status: 200, body: instanceOf(context) };
      },
    },
    {
      method: 'get',
      path: '/errors',
      access: 'public',
      async handle({ origin }) {
        return {
          status: 200,
          body: Object.keys(problems)
            .filter(isProblemId)
            .map((id) => problemOf(origin, id)),
        };
      },
    },
    {
      method: 'get',
      path: '/errors/:id',
      access: 'public',
      async handle({ origin, params }) {
        const id = params['id'] ?? '';
        if (!isProblemId(id)) {
          throw new ProblemError('NotFound', { detail: 'There is no error of this name.' });
        }
        return { status: 200, body: problemOf(origin, id) };
      },
    },
    {
      method: 'get',
      path: '/payload_content_types',
      access: 'public',
      async handle() {
        return { status: 200, body: payloadContentTypes };
      },
    },
    { method: 'get', path: '/health', access: 'public', handle: (request) => checkHealth(context, request) },
  ];
}

function instanceOf({ settings }: ApiContext) {
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

function isProblemId(id: string): id is ProblemId {
  return Object.hasOwn(problems, id);
}

function problemOf(origin: string, id: ProblemId) {
  return { type: problemTypeUrl(origin, id), id, ...problems[id] };
}

async function checkHealth(context: ApiContext, { query }: RouteRequest): Promise<Reply> {
  const { healthCheckKey } = context.settings;
  if (healthCheckKey === null) {
    throw new ProblemError('NotFound');
  }
  const given = query['key'];
  if (healthCheckKey !== '' && (typeof given !== 'string' || !timingSafeEqual(tokenHash(given), tokenHash(healthCheckKey)))) {
    throw new ProblemError('Forbidden', { detail: 'The key is not the one of this installation.' });
  }
  const startedAt = context.now();
  const database = await checkDatabase(context.db).then(
    () => true,
    () => false,
  );
  const tookMs = Math.round(context.now() - startedAt);
  return {
    status: database ? 200 : 503,
    body: { database, pulsar: null, object_storage: null, database_duration_ms: tookMs, total_duration_ms: tookMs },
  };
}
