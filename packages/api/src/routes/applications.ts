import { type ApplicationRow, findApplication } from '@postrider/shared/database/queries/find-application';
import { listApplications } from '@postrider/shared/database/queries/list-applications';
import { type ApplicationUsage, loadApplicationUsage } from '@postrider/shared/database/queries/load-application-usage';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import {
  applicationInfoView,
  applicationListQuery,
  applicationParams,
  applicationPost,
  type applicationUsageView,
  applicationView,
} from '../schemas/applications.ts';
import { settleSubscriptions } from '../services/settle-subscription.ts';
import { changeApplication, createApplication, removeApplication } from '../services/write-application.ts';
import { stepOf, unlimited } from './usage.ts';

/** Applications: whose events are whose. */
export function applicationRoutes(context: ApiContext): Route[] {
  return [...collectionRoutes(context), ...applicationItemRoutes(context)];
}

function collectionRoutes({ secretsKey }: ApiContext): Route[] {
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
      problems: ['ApplicationNameMissing'],
      async handle({ db, audit, body: post }) {
        const row = await createApplication(db, audit, secretsKey, { organizationId: post.organization_id, name: post.name });
        if (!row) {
          throw new ProblemError('Forbidden', { detail: 'The organization does not exist.' });
        }
        return { status: 201, body: view(row) };
      },
    }),
  ];
}

function applicationItemRoutes({ notifier, tokens }: ApiContext): Route[] {
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
        return { status: 200, body: { ...view(row), ...infoOf(await loadApplicationUsage(db, applicationId)) } };
      },
    }),
    defineRoute({
      name: 'applications.update',
      summary: 'Renames an application',
      method: 'put',
      path: '/applications/:application_id',
      access: 'application',
      application: 'params',
      params: applicationParams,
      body: applicationPost,
      answer: { status: 200, schema: applicationView },
      problems: ['ApplicationNameMissing'],
      async handle({ db, audit, params, body }) {
        const { application_id: applicationId } = params;
        const row = await changeApplication(db, audit, applicationId, body.name);
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
        const subscriptionIds = await removeApplication(db, audit, applicationId);
        tokens.clear();
        await settleSubscriptions(db, notifier, subscriptionIds);
        return { status: 204 };
      },
    }),
  ];
}

function view(row: ApplicationRow): z.output<typeof applicationView> {
  return { application_id: row.application_id, organization_id: row.organization_id, name: row.name };
}

function infoOf(usage: ApplicationUsage): z.output<typeof applicationUsageView> {
  return {
    quotas: { events_per_day_limit: unlimited, days_of_events_retention_limit: unlimited },
    consumption: { events_per_day: usage.events_today },
    onboarding_steps: {
      event_type: stepOf(usage.has_event_type),
      subscription: stepOf(usage.has_subscription),
      event: stepOf(usage.has_event),
    },
  };
}
