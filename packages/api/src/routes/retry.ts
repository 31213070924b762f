import type { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { invalidField } from '../http/parse.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { retryParams, retryPost, retryView } from '../schemas/subscription-actions.ts';
import { retryAttempt, type RetryResult } from '../services/retry-attempt.ts';

/** One more try of a request attempt. */
export function retryRoutes({ notifier }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'request_attempts.retry',
      summary: 'Tries a delivery once more, now: a waiting attempt at once, a finished one by a new attempt',
      method: 'post',
      path: '/request_attempts/:request_attempt_id/retry',
      access: 'application',
      application: 'body',
      params: retryParams,
      body: retryPost,
      answer: { status: 200, schema: retryView },
      problems: ['NotFound'],
      async handle({ db, audit, params, body }) {
        const { application_id: applicationId } = body;
        const { request_attempt_id: requestAttemptId } = params;
        return { status: 200, body: viewOf(await retryAttempt(db, notifier, audit, { applicationId, requestAttemptId })) };
      },
    }),
  ];
}

function viewOf(result: RetryResult): z.output<typeof retryView> {
  switch (result.kind) {
    case 'retried':
      return {
        request_attempt_id: result.requestAttemptId,
        event_id: result.eventId,
        subscription_id: result.subscriptionId,
        outcome: result.how,
      };
    case 'not_found':
      throw new ProblemError('NotFound', { detail: 'The application has no request attempt of this id.' });
    case 'event_gone':
      throw new ProblemError('NotFound', { detail: 'The event of this request attempt is not kept any longer.' });
    case 'subscription_deleted':
      throw new ProblemError('NotFound', { detail: 'The subscription of this request attempt was deleted.' });
    case 'subscription_disabled':
      throw invalidField('request_attempt_id', { code: 'subscription_disabled', message: 'its subscription is disabled: enable it first' });
  }
}
