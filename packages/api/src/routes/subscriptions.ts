import type { Database } from '@postrider/shared/database/pool';
import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { listSubscriptions, type SubscriptionRow } from '@postrider/shared/database/queries/list-subscriptions';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { standardSecret } from '@postrider/shared/domain/signature';
import { type SecretsKey, unseal } from '@postrider/shared/secrets/sealed-secret';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { authorizeApplication, type Principal } from '../http/authenticate.ts';
import { authorizeBody } from '../http/authorize-body.ts';
import { invalidField, parseBody, parseParameters } from '../http/parse.ts';
import type { Reply, Route } from '../http/route.ts';
import { applicationQuery, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { settleSubscriptions } from '../services/settle-subscription.ts';
import { changeSubscription, createSubscription, type WantedSubscription, type WriteResult } from '../services/write-subscription.ts';
import { headersOf, labelsOf, type SubscriptionPost, subscriptionPost, warningsOf } from './subscription-post.ts';

const subscriptionParams = z.object({ subscription_id: uuid });

/** Subscriptions: whose events go where. */
export function subscriptionRoutes(context: ApiContext): Route[] {
  return [...readRoutes(context), ...writeRoutes(context)];
}

function readRoutes({ db, secretsKey }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/subscriptions',
      access: 'application',
      async handle({ principal, query }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        await authorizeApplication(db, principal, applicationId);
        const rows = await listSubscriptions(db, { applicationId });
        return { status: 200, body: rows.map((row) => view(secretsKey, row)) };
      },
    },
    {
      method: 'get',
      path: '/subscriptions/:subscription_id',
      access: 'application',
      async handle({ principal, params }) {
        const row = await find(db, principal, parseParameters(subscriptionParams, params).subscription_id);
        return { status: 200, body: view(secretsKey, row) };
      },
    },
  ];
}

function writeRoutes(context: ApiContext): Route[] {
  const { db, notifier, secretsKey } = context;
  return [
    {
      method: 'post',
      path: '/subscriptions',
      access: 'application',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ principal, body }) {
        await authorizeBody(db, principal, body);
        const { post, wanted } = readPost(context, body);
        return replyWith(context, principal, 201, post, await createSubscription(db, secretsKey, wanted));
      },
    },
    {
      method: 'put',
      path: '/subscriptions/:subscription_id',
      access: 'application',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ principal, params, body }) {
        const { subscription_id: subscriptionId } = parseParameters(subscriptionParams, params);
        await authorizeBody(db, principal, body);
        const { post, wanted } = readPost(context, body);
        const before = await find(db, principal, subscriptionId);
        if (before.application_id !== wanted.applicationId) {
          throw new ProblemError('NotFound', { detail: 'The application has no subscription of this id.' });
        }
        const result = await changeSubscription(db, subscriptionId, wanted);
        if (result.kind === 'written') {
          await settleSubscriptions(db, notifier, [subscriptionId]);
        }
        return replyWith(context, principal, 200, post, result);
      },
    },
    {
      method: 'delete',
      path: '/subscriptions/:subscription_id',
      access: 'application',
      async handle({ principal, params, query }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        const { subscription_id: subscriptionId } = parseParameters(subscriptionParams, params);
        await authorizeApplication(db, principal, applicationId);
        if (!(await deleteSubscription(db, applicationId, subscriptionId))) {
          throw new ProblemError('NotFound', { detail: 'The application has no subscription of this id.' });
        }
        await settleSubscriptions(db, notifier, [subscriptionId]);
        return { status: 204 };
      },
    },
  ];
}

async function find(db: Database, principal: Principal, subscriptionId: string): Promise<SubscriptionRow> {
  const [row] = await listSubscriptions(db, { subscriptionId });
  if (!row || (principal.kind === 'application' && principal.applicationId !== row.application_id)) {
    throw new ProblemError('NotFound', { detail: 'There is no subscription of this id.' });
  }
  return row;
}

function readPost({ settings }: ApiContext, body: unknown): { post: SubscriptionPost; wanted: WantedSubscription } {
  const post = parseBody(subscriptionPost, body);
  if (settings.requireHttpsTargets && !/^https:/i.test(post.target.url)) {
    throw invalidField('target.url', { code: 'https', message: 'this installation demands https' });
  }
  return { post, wanted: wantedOf(post) };
}

async function replyWith(
  { db, secretsKey }: ApiContext,
  principal: Principal,
  status: number,
  post: SubscriptionPost,
  result: WriteResult,
): Promise<Reply> {
  const row = await find(db, principal, idOf(result));
  return { status, body: { ...view(secretsKey, row), warnings: warningsOf(post) } };
}

function wantedOf(post: SubscriptionPost): WantedSubscription {
  return {
    applicationId: post.application_id,
    isEnabled: post.is_enabled,
    eventTypes: [...new Set(post.event_types)],
    description: post.description,
    labels: labelsOf(post),
    metadata: post.metadata ?? {},
    target: { method: post.target.method, url: post.target.url, headers: headersOf(post) },
    dedicatedWorkers: post.dedicated_workers ?? [],
  };
}

function idOf(result: WriteResult): string {
  switch (result.kind) {
    case 'written':
      return result.subscriptionId;
    case 'event_types_missing':
      throw new ProblemError('EventTypeDoesNotExist', { detail: `Unknown or deactivated event types: ${result.names.join(', ')}.` });
    case 'workers_not_allowed':
      throw new ProblemError('UnauthorizedWorkers', { detail: `Workers that this organization may not use: ${result.names.join(', ')}.` });
  }
}

function view(secretsKey: SecretsKey, row: SubscriptionRow) {
  const secret = unseal(secretsKey, row.secret_sealed, `subscription:${row.subscription_id}`);
  const [label] = Object.entries(row.labels);
  return {
    application_id: row.application_id,
    subscription_id: row.subscription_id,
    is_enabled: row.disabled_at === null,
    disabled_reason: row.disabled_reason,
    event_types: row.event_types,
    description: row.description,
    secret,
    standard_webhooks_secret: standardSecret(secret),
    metadata: row.metadata,
    label_key: label?.[0] ?? '',
    label_value: label?.[1] ?? '',
    labels: row.labels,
    target: { type: 'http', method: row.target_method, url: row.target_url, headers: row.target_headers },
    created_at: row.created_at,
    updated_at: row.updated_at,
    dedicated_workers: row.dedicated_workers,
  };
}
