import { holdFactsOf } from '@postrider/shared/database/hold-row';
import { listSubscriptions, type SubscriptionRow } from '@postrider/shared/database/queries/list-subscriptions';
import type { DeliveryPolicy } from '@postrider/shared/domain/delivery-policy';
import { describeSubscription } from '@postrider/shared/domain/describe-health';
import { standardSecret } from '@postrider/shared/domain/signature';
import { type SecretsKey, unseal } from '@postrider/shared/secrets/sealed-secret';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { findAuthorized } from '../http/authorize.ts';
import { invalidField } from '../http/parse.ts';
import { defineRoute, type Reply, type RequestContext, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { tooMany } from '../http/too-many.ts';
import { ProblemError } from '../problems.ts';
import { policyOf, policyViewOf } from '../schemas/subscription-policies.ts';
import {
  subscriptionParams,
  type SubscriptionPost,
  subscriptionPost,
  subscriptionView,
  writtenSubscriptionView,
} from '../schemas/subscriptions.ts';
import { settleSubscriptions } from '../services/settle-subscription.ts';
import {
  changeSubscription,
  createSubscription,
  removeSubscription,
  type WantedSubscription,
  type WriteResult,
} from '../services/write-subscription.ts';
import { headersOf, labelsOf, warningsOf } from './subscription-post.ts';

/** Subscriptions: whose events go where. */
export function subscriptionRoutes(context: ApiContext): Route[] {
  return [...readRoutes(context), ...writeRoutes(context)];
}

function readRoutes(context: ApiContext): Route[] {
  const { secretsKey } = context;
  return [
    defineRoute({
      name: 'subscriptions.list',
      summary: 'Lists the subscriptions of an application',
      method: 'get',
      path: '/subscriptions',
      access: 'application',
      application: 'query',
      query: applicationQuery,
      answer: { status: 200, schema: z.array(subscriptionView) },
      async handle({ db, query }) {
        const { application_id: applicationId } = query;
        const rows = await listSubscriptions(db, { applicationId });
        return { status: 200, body: rows.map((row) => view(secretsKey, row)) };
      },
    }),
    defineRoute({
      name: 'subscriptions.get',
      summary: 'Reads a subscription',
      method: 'get',
      path: '/subscriptions/:subscription_id',
      access: 'application',
      params: subscriptionParams,
      answer: { status: 200, schema: subscriptionView },
      problems: ['NotFound'],
      async handle({ db, principal, params }) {
        const row = await find(context, { db, principal }, params.subscription_id);
        return { status: 200, body: view(secretsKey, row) };
      },
    }),
  ];
}

function writeRoutes(context: ApiContext): Route[] {
  const { notifier, quotas, secretsKey } = context;
  return [
    defineRoute({
      name: 'subscriptions.create',
      summary: 'Creates a subscription with a secret of its own',
      method: 'post',
      path: '/subscriptions',
      access: 'application',
      application: 'body',
      body: subscriptionPost,
      answer: { status: 201, schema: writtenSubscriptionView },
      problems: ['EventTypeDoesNotExist', 'UnauthorizedWorkers', 'LabelsAmbiguity', 'TooManySubscriptionsPerApplication'],
      async handle({ db, principal, audit, body }) {
        const wanted = readWanted(context, body);
        const { subscriptions_per_application_limit: limit } = await quotas.ofApplication(db, wanted.applicationId);
        const result = await createSubscription(db, audit, secretsKey, { ...wanted, limit });
        return replyWith(context, { db, principal }, 201, body, result);
      },
    }),
    defineRoute({
      name: 'subscriptions.update',
      summary: 'Writes a subscription anew; its secret stays',
      method: 'put',
      path: '/subscriptions/:subscription_id',
      access: 'application',
      application: 'body',
      params: subscriptionParams,
      body: subscriptionPost,
      answer: { status: 200, schema: writtenSubscriptionView },
      problems: ['NotFound', 'EventTypeDoesNotExist', 'UnauthorizedWorkers', 'LabelsAmbiguity'],
      async handle({ db, principal, audit, params, body }) {
        const { subscription_id: subscriptionId } = params;
        const wanted = readWanted(context, body);
        const before = await find(context, { db, principal }, subscriptionId);
        if (before.application_id !== wanted.applicationId) {
          throw new ProblemError('NotFound', { detail: 'The application has no subscription of this id.' });
        }
        const result = await changeSubscription(db, audit, subscriptionId, wanted);
        if (result.kind === 'written') {
          await settleSubscriptions(db, notifier, [subscriptionId]);
        }
        return replyWith(context, { db, principal }, 200, body, result);
      },
    }),
    defineRoute({
      name: 'subscriptions.delete',
      summary: 'Deletes a subscription and ends its deliveries',
      method: 'delete',
      path: '/subscriptions/:subscription_id',
      access: 'application',
      application: 'query',
      params: subscriptionParams,
      query: applicationQuery,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, params, query }) {
        const { application_id: applicationId } = query;
        const { subscription_id: subscriptionId } = params;
        if (!(await removeSubscription(db, audit, applicationId, subscriptionId))) {
          throw new ProblemError('NotFound', { detail: 'The application has no subscription of this id.' });
        }
        await settleSubscriptions(db, notifier, [subscriptionId]);
        return { status: 204 };
      },
    }),
  ];
}

/** A subscription that the caller may see. */
export async function find(
  { tokens }: Pick<ApiContext, 'tokens'>,
  { db, principal }: Pick<RequestContext, 'db' | 'principal'>,
  subscriptionId: string,
): Promise<SubscriptionRow> {
  const [row] = await listSubscriptions(db, { subscriptionId });
  if (!row || !(await findAuthorized(tokens, principal, row.application_id))) {
    throw new ProblemError('NotFound', { detail: 'There is no subscription of this id.' });
  }
  return row;
}

function readWanted({ settings }: ApiContext, post: SubscriptionPost): WantedSubscription {
  if (settings.requireHttpsTargets && new URL(post.target.url).protocol !== 'https:') {
    throw invalidField('target.url', { code: 'https', message: 'this installation demands https (REQUIRE_HTTPS_TARGETS)' });
  }
  return wantedOf(post);
}

async function replyWith(
  context: ApiContext,
  request: Pick<RequestContext, 'db' | 'principal'>,
  status: number,
  post: SubscriptionPost,
  result: WriteResult,
): Promise<Reply> {
  const row = await find(context, request, idOf(result));
  const body: z.output<typeof writtenSubscriptionView> = { ...view(context.secretsKey, row), warnings: warningsOf(post) };
  return { status, body };
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
    policy: policyOf(post),
    dedicatedWorkers: post.dedicated_workers ?? [],
  };
}

function idOf(result: WriteResult): string {
  switch (result.kind) {
    case 'written':
      return result.subscriptionId;
    case 'application_missing':
      throw new ProblemError('Forbidden');
    case 'too_many':
      throw tooMany('TooManySubscriptionsPerApplication', result.limit);
    case 'subscription_missing':
      throw new ProblemError('NotFound', { detail: 'The application has no subscription of this id.' });
    case 'event_types_missing':
      throw new ProblemError('EventTypeDoesNotExist', { detail: `Unknown or deactivated event types: ${result.names.join(', ')}.` });
    case 'workers_not_allowed':
      throw new ProblemError('UnauthorizedWorkers', { detail: `Workers that this organization may not use: ${result.names.join(', ')}.` });
  }
}

function view(secretsKey: SecretsKey, row: SubscriptionRow): z.output<typeof subscriptionView> {
  const secret = unseal(secretsKey, row.secret_sealed, `subscription:${row.subscription_id}`);
  const [label] = Object.entries(row.labels);
  const isDisabled = row.disabled_at !== null;
  const { status, holdUntil, why } = describeSubscription({ ...holdFactsOf(row), isDisabled, disabledReason: row.disabled_reason });
  return {
    application_id: row.application_id,
    subscription_id: row.subscription_id,
    is_enabled: !isDisabled,
    disabled_reason: row.disabled_reason,
    is_paused: row.paused_at !== null,
    paused_at: row.paused_at,
    status,
    hold_until: holdUntil,
    why,
    failing_since: row.failing_since,
    event_types: row.event_types,
    description: row.description,
    secret,
    standard_webhooks_secret: standardSecret(secret),
    previous_secret_ends_at: row.previous_secret_ends_at,
    metadata: row.metadata,
    label_key: label?.[0] ?? '',
    label_value: label?.[1] ?? '',
    labels: row.labels,
    target: { type: 'http', method: row.target_method, url: row.target_url, headers: row.target_headers },
    created_at: row.created_at,
    updated_at: row.updated_at,
    dedicated_workers: row.dedicated_workers,
    ...policyViewOf(policyOfRow(row)),
  };
}

function policyOfRow(row: SubscriptionRow): DeliveryPolicy {
  const { rate_requests: requests, rate_period_ms: periodMs } = row;
  return {
    retrySchedule: row.retry_schedule,
    timeoutMs: row.timeout_ms,
    inFlightMax: row.in_flight_max,
    rate: requests === null || periodMs === null ? null : { requests, periodMs },
  };
}
