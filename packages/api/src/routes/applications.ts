import { type ApplicationRow, findApplication } from '@postrider/shared/database/queries/find-application';
import { insertApplication } from '@postrider/shared/database/queries/insert-application';
import { listApplications } from '@postrider/shared/database/queries/list-applications';
import { type ApplicationUsage, loadApplicationUsage } from '@postrider/shared/database/queries/load-application-usage';
import { renameApplication } from '@postrider/shared/database/queries/rename-application';
import { newId } from '@postrider/shared/domain/ids';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { orProblem } from '../http/parse.ts';
import { text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { createApplicationSecret } from '../services/create-application-secret.ts';
import { endApplication } from '../services/end-application.ts';
import { settleSubscriptions } from '../services/settle-subscription.ts';
import { stepOf, unlimited } from './usage.ts';

const wantedName = z
  .string()
  .refine((value) => value.trim() !== '', { ...orProblem('ApplicationNameMissing'), abort: true })
  .pipe(text(2, 50));
const applicationPost = z.object({ organization_id: uuid, name: wantedName });
const organizationQuery = z.object({ organization_id: uuid });
const applicationParams = z.object({ application_id: uuid });

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
      query: organizationQuery,
      answer: { status: 200 },
      async handle({ db, query }) {
        const { organization_id: organizationId } = query;
        return { status: 200, body: (await listApplications(db, organizationId)).map(view) };
      },
    }),
    defineRoute({
      name: 'applications.create',
      summary: 'Creates an application and its first secret',
      method: 'post',
      path: '/applications',
      access: 'organization',
      body: applicationPost,
      answer: { status: 201 },
      problems: ['ApplicationNameMissing'],
      async handle({ db, body: post }) {
        const row = await db.transaction(async (transaction) => {
          const application = await insertApplication(transaction, {
            applicationId: newId(),
            organizationId: post.organization_id,
            name: post.name,
          });
          if (application) {
            await createApplicationSecret(transaction, secretsKey, { applicationId: application.application_id, name: 'Default' });
          }
          return application;
        });
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
      answer: { status: 200 },
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
      answer: { status: 200 },
      problems: ['ApplicationNameMissing'],
      async handle({ db, params, body }) {
        const { application_id: applicationId } = params;
        const row = await renameApplication(db, applicationId, body.name);
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
      async handle({ db, params }) {
        const { application_id: applicationId } = params;
        const subscriptionIds = await endApplication(db, applicationId);
        tokens.clear();
        await settleSubscriptions(db, notifier, subscriptionIds);
        return { status: 204 };
      },
    }),
  ];
}

function view(row: ApplicationRow) {
  return { application_id: row.application_id, organization_id: row.organization_id, name: row.name };
}

function infoOf(usage: ApplicationUsage) {
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
