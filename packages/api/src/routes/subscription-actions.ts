import { listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { listSubscriptions } from '@postrider/shared/database/queries/list-subscriptions';
import { previousSecretsMax, secretOverlapMsDefault } from '@postrider/shared/domain/limits';
import { standardSecret } from '@postrider/shared/domain/signature';
import { deliveryFor, explainMatch, type MatchReason } from '@postrider/shared/domain/subscription-match';
import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { invalidField } from '../http/parse.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import {
  matchPost,
  matchView,
  pauseView,
  rotatePost,
  rotationView,
  subscriptionActionParams,
  testPost,
  testView,
} from '../schemas/subscription-actions.ts';
import { changePause } from '../services/pause-subscription.ts';
import { rotateSecret } from '../services/rotate-secret.ts';
import { type BackgroundSettler, createBackgroundSettler } from '../services/settle-in-background.ts';
import { testSubscription, type TestResult } from '../services/test-subscription.ts';
import { readPayload } from './event-post.ts';
import { find as findSubscription } from './subscriptions.ts';

/** What is done to subscriptions beside writing them. */
export function subscriptionActionRoutes(context: ApiContext): Route[] {
  // Beyond requests, so with the process's own database: what it leaves undone at the end of the process, the sweep of another does.
  const settler = createBackgroundSettler(context.db, context.notifier);
  return [matchRoute(), pauseRoute(context, settler, true), pauseRoute(context, settler, false), rotateRoute(context), testRoute(context)];
}

function pauseRoute(context: ApiContext, settler: BackgroundSettler, isPaused: boolean): Route {
  return defineRoute({
    name: isPaused ? 'subscriptions.pause' : 'subscriptions.resume',
    summary: isPaused
      ? 'Pauses a subscription: its attempts wait and are kept'
      : 'Resumes a subscription: what waited is delivered; a hold ends, too',
    method: 'post',
    path: `/subscriptions/:subscription_id/${isPaused ? 'pause' : 'resume'}`,
    access: 'application',
    params: subscriptionActionParams,
    answer: { status: 200, schema: pauseView },
    problems: ['NotFound'],
    async handle({ db, principal, audit, params }) {
      const { subscription_id: subscriptionId } = params;
      const { application_id: applicationId } = await findSubscription(context, { db, principal }, subscriptionId);
      const result = await changePause(db, audit, { settler, notifier: context.notifier }, { applicationId, subscriptionId, isPaused });
      if (result.kind === 'not_found') {
        throw new ProblemError('NotFound', { detail: 'There is no subscription of this id.' });
      }
      const body: z.output<typeof pauseView> = {
        subscription_id: subscriptionId,
        is_paused: result.pausedAt !== null,
        paused_at: result.pausedAt,
      };
      return { status: 200, body };
    },
  });
}

function rotateRoute(context: ApiContext): Route {
  const { secretsKey } = context;
  return defineRoute({
    name: 'subscriptions.rotate_secret',
    summary: 'Gives a subscription a new secret; the old one signs beside it for a while',
    method: 'post',
    path: '/subscriptions/:subscription_id/rotate_secret',
    access: 'application',
    params: subscriptionActionParams,
    body: rotatePost,
    bodyMayBeLeftOut: true,
    answer: { status: 200, schema: rotationView },
    problems: ['NotFound'],
    async handle({ db, principal, audit, params, body }) {
      const { subscription_id: subscriptionId } = params;
      const { application_id: applicationId } = await findSubscription(context, { db, principal }, subscriptionId);
      const overlapMs = body.overlap ?? secretOverlapMsDefault;
      const result = await rotateSecret(db, audit, secretsKey, { applicationId, subscriptionId, overlapMs });
      if (result.kind === 'refused') {
        const message = `${previousSecretsMax} earlier secrets sign already; wait until one ends, or end all of them with an overlap of 0`;
        throw invalidField('overlap', { code: 'too_many_secrets', message });
      }
      const view: z.output<typeof rotationView> = {
        subscription_id: subscriptionId,
        secret: result.secret,
        standard_webhooks_secret: standardSecret(result.secret),
        previous_secret_ends_at: result.previousSecretEndsAt,
      };
      return { status: 200, body: view };
    },
  });
}

function testRoute(context: ApiContext): Route {
  const { notifier } = context;
  return defineRoute({
    name: 'subscriptions.test',
    summary: 'Sends a signed sample to a subscription, once, also while it is paused',
    method: 'post',
    path: '/subscriptions/:subscription_id/test',
    access: 'application',
    params: subscriptionActionParams,
    body: testPost,
    bodyMayBeLeftOut: true,
    answer: { status: 201, schema: testView },
    problems: [
      'NotFound',
      'EventTypeDoesNotExist',
      'EventInvalidPayloadContentType',
      'EventInvalidBase64Payload',
      'EventInvalidJsonPayload',
    ],
    async handle({ db, principal, params, body, ip }) {
      const row = await findSubscription(context, { db, principal }, params.subscription_id);
      const contentType = body.payload_content_type ?? 'application/json';
      const result = await testSubscription(db, notifier, {
        applicationId: row.application_id,
        subscriptionId: row.subscription_id,
        eventTypes: row.event_types,
        eventTypeName: body.event_type,
        payload: body.payload === undefined ? null : readPayload({ payload: body.payload, payload_content_type: contentType }),
        ip,
        applicationSecretId: principal.kind === 'application' ? principal.applicationSecretId : null,
      });
      return { status: 201, body: testViewOf(row.subscription_id, result) };
    },
  });
}

function testViewOf(subscriptionId: string, result: TestResult): z.output<typeof testView> {
  switch (result.kind) {
    case 'sent':
      return {
        subscription_id: subscriptionId,
        event_id: result.eventId,
        event_type: result.eventTypeName,
        request_attempt_id: result.requestAttemptId,
      };
    case 'event_type_missing':
      throw new ProblemError('EventTypeDoesNotExist', { detail: `Unknown or deactivated event types: ${result.names.join(', ')}.` });
    case 'disabled':
      throw invalidField('subscription_id', {
        code: 'disabled',
        message: 'the subscription is disabled: enable it; paused, it can be tested without getting events',
      });
  }
}

function matchRoute(): Route {
  return defineRoute({
    name: 'subscriptions.match',
    summary: 'Tells which subscriptions would get an event, and why the others would not; stores nothing',
    method: 'post',
    path: '/subscriptions/match',
    access: 'application',
    application: 'body',
    readOnly: true,
    body: matchPost,
    answer: { status: 200, schema: matchView },
    problems: ['EventTypeDoesNotExist'],
    async handle({ db, body }) {
      const { application_id: applicationId, event_type: eventTypeName, labels } = body;
      const [eventType] = await listEventTypes(db, applicationId, [eventTypeName]);
      if (!eventType) {
        throw new ProblemError('EventTypeDoesNotExist', { detail: `The event type ${eventTypeName} does not exist or is deactivated.` });
      }
      const rows = await listSubscriptions(db, { applicationId });
      const view: z.output<typeof matchView> = {
        subscriptions: rows.map((row) => {
          const rules = {
            isEnabled: row.disabled_at === null,
            isPaused: row.paused_at !== null,
            eventTypes: row.event_types,
            labels: row.labels,
          };
          const reasons = explainMatch(rules, { eventTypeName, labels });
          return {
            subscription_id: row.subscription_id,
            description: row.description,
            delivery: deliveryFor(reasons),
            reasons: reasons.map(reasonView),
          };
        }),
      };
      return { status: 200, body: view };
    },
  });
}

function reasonView(reason: MatchReason): z.output<typeof matchView>['subscriptions'][number]['reasons'][number] {
  const none = { label: null, wanted: null, got: null };
  return { ...none, ...reason };
}
