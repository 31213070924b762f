import { type ApplicationRow, findApplication } from '@postrider/shared/database/queries/find-application';
import { listApplications } from '@postrider/shared/database/queries/list-applications';
import { type ApplicationUsage, loadApplicationUsage } from '@postrider/shared/database/queries/load-application-usage';
import type { ApplicationLimits } from '@postrider/shared/domain/quotas';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { tooMany } from '../http/too-many.ts';
import { ProblemError } from '../problems.ts';
import {
  applicationInfoView,
  applicationListQuery,
  applicationParams,
  applicationPost,
  applicationPut,
  type applicationUsageView,
  applicationView,
} from '../schemas/applications.ts';
import { settleSubscriptions } from '../services/settle-subscription.ts';
import { changeApplication, createApplication, removeApplication } from '../services/write-application.ts';
import { stepOf } from './usage.ts';

/** Applications: whose events are whose. */
export function applicationRoutes(context: ApiContext): Route[] {
  return [...collectionRoutes(context), ...applicationItemRoutes(context)];
}

function collectionRoutes({ secretsKey, quotas }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'applications.list',
      summary: 'Lists the applications of an organization',
      method: 'get',
      path: '/applications',
      access: 'organization',
      organization: 'query',
      keepsToApplications: true,
      query: applicationListQuery,
      answer: { status: 200, schema: z.array(applicationView) },
      async handle({ db, principal, query }) {
        const { organization_id: organizationId } = query;
        const only = principal.kind === 'service' ? principal.applicationIds : null;
        return { status: 200, body: (await listApplications(db, organizationId, only)).map(view) };
      },
    }),
    defineRoute({
      name: 'applications.create',
      summary: 'Creates an application and its first secret',
      method: 'post',
      path: '/applications',
      access: 'organization',
      organization: 'body',
      body: applicationPost,
      answer: { status: 201, schema: applicationView },
      problems: ['ApplicationNameMissing', 'TooManyApplicationsPerOrganization'],
      async handle({ db, audit, body: post }) {
        const { organization_id: organizationId, name } = post;
        const { applications_per_organization_limit: limit } = await quotas.ofOrganization(db, organizationId);
        const result = await createApplication(db, audit, secretsKey, { organizationId, name, limit });
        switch (result.kind) {
          case 'created':
            return { status: 201, body: view(result.application) };
          case 'too_many':
            throw tooMany('TooManyApplicationsPerOrganization', limit);
          case 'organization_missing':
            throw new ProblemError('Forbidden', { detail: 'The organization does not exist.' });
        }
      },
    }),
  ];
}

function applicationItemRoutes({ notifier, tokens, quotas }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'applications.get',
      summary: 'Reads an application and what it uses',
      method: 'get',
      path: '/applications/:application_id',
      access: 'application',
      application: 'params',
      params: applicationParams,
      answer: { status: 200, schema: applicationInfoView },
      async handle({ db, params }) {
        const { application_id: applicationId } = params;
        const row = await findApplication(db, applicationId);
        if (!row) {
          throw new ProblemError('Forbidden');
        }
        const usage = infoOf(await quotas.ofApplication(db, applicationId), await loadApplicationUsage(db, applicationId));
        return { status: 200, body: { ...view(row), ...usage } };
      },
    }),
    defineRoute({
      name: 'applications.update',
      summary: 'Renames an application; with the master key it also gives it quotas of its own',
      method: 'put',
      path: '/applications/:application_id',
      access: 'application',
      application: 'params',
      params: applicationParams,
      body: applicationPut,
      answer: { status: 200, schema: applicationView },
      problems: ['ApplicationNameMissing'],
      async handle({ db, principal, audit, params, body }) {
        const { application_id: applicationId } = params;
        if (body.quotas !== null && principal.kind !== 'master') {
          throw new ProblemError('Forbidden', { detail: 'It takes the master key to give quotas. Leave out quotas to keep them.' });
        }
        const change = changeApplication(db, audit, { applicationId, name: body.name, limits: body.quotas });
        const row = await (body.quotas === null ? change : tokens.forgetAfter(change));
        if (!row) {
          throw new ProblemError('Forbidden');
        }
        return { status: 200, body: view(row) };
      },
    }),
    defineRoute({
      name: 'applications.delete',
      summary: 'Deletes an application and ends its deliveries',
      method: 'delete',
      path: '/applications/:application_id',
      access: 'application',
      application: 'params',
      params: applicationParams,
      answer: { status: 204 },
      async handle({ db, audit, params }) {
        const { application_id: applicationId } = params;
        const subscriptionIds = await tokens.forgetAfter(removeApplication(db, audit, applicationId));
        await settleSubscriptions(db, notifier, subscriptionIds);
        return { status: 204 };
      },
    }),
  ];
}

function view(row: ApplicationRow): z.output<typeof applicationView> {
  return { application_id: row.application_id, organization_id: row.organization_id, name: row.name };
}

function infoOf(quotas: ApplicationLimits, usage: ApplicationUsage): z.output<typeof applicationUsageView> {
  return {
    quotas: {
      events_per_day_limit: quotas.events_per_day_limit,
      days_of_events_retention_limit: quotas.days_of_events_retention_limit,
      subscriptions_per_application_limit: quotas.subscriptions_per_application_limit,
      event_types_per_application_limit: quotas.event_types_per_application_limit,
    },
    consumption: { events_per_day: usage.events_today },
    onboarding_steps: {
      event_type: stepOf(usage.has_event_type),
      subscription: stepOf(usage.has_subscription),
      event: stepOf(usage.has_event),
    },
  };
}
