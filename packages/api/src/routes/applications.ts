import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import { type ApplicationRow, findApplication } from '@postrider/shared/database/queries/find-application';
import { insertApplication } from '@postrider/shared/database/queries/insert-application';
import { listApplications } from '@postrider/shared/database/queries/list-applications';
import { type ApplicationUsage, loadApplicationUsage } from '@postrider/shared/database/queries/load-application-usage';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { renameApplication } from '@postrider/shared/database/queries/rename-application';
import { newId } from '@postrider/shared/domain/ids';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { authorizeApplication } from '../http/authenticate.ts';
import { parseBody, parseParameters } from '../http/parse.ts';
import type { Route } from '../http/route.ts';
import { text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { createApplicationSecret } from '../services/create-application-secret.ts';
import { settleSubscriptions } from '../services/settle-subscription.ts';
import { stepOf, unlimited } from './usage.ts';

const applicationPost = z.object({ organization_id: uuid, name: z.string() });
const applicationName = z.object({ name: text(2, 50) });
const organizationQuery = z.object({ organization_id: uuid });
const applicationParams = z.object({ application_id: uuid });

/** Applications: whose events are whose. */
export function applicationRoutes(context: ApiContext): Route[] {
  return [...collectionRoutes(context), ...applicationItemRoutes(context)];
}

function collectionRoutes({ db, secretsKey }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/applications',
      access: 'organization',
      async handle({ query }) {
        const { organization_id: organizationId } = parseParameters(organizationQuery, query);
        return { status: 200, body: (await listApplications(db, organizationId)).map(view) };
      },
    },
    {
      method: 'post',
      path: '/applications',
      access: 'organization',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ body }) {
        const post = readPost(body);
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
    },
  ];
}

function applicationItemRoutes({ db, notifier, tokens }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/applications/:application_id',
      access: 'application',
      async handle({ principal, params }) {
        const { application_id: applicationId } = parseParameters(applicationParams, params);
        await authorizeApplication(db, principal, applicationId);
        const row = await findApplication(db, applicationId);
        if (!row) {
          throw new ProblemError('Forbidden');
        }
        return { status: 200, body: { ...view(row), ...infoOf(await loadApplicationUsage(db, applicationId)) } };
      },
    },
    {
      method: 'put',
      path: '/applications/:application_id',
      access: 'application',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ principal, params, body }) {
        const { application_id: applicationId } = parseParameters(applicationParams, params);
        await authorizeApplication(db, principal, applicationId);
        const row = await renameApplication(db, applicationId, readPost(body).name);
        if (!row) {
          throw new ProblemError('Forbidden');
        }
        return { status: 200, body: view(row) };
      },
    },
    {
      method: 'delete',
      path: '/applications/:application_id',
      access: 'application',
      async handle({ principal, params }) {
        const { application_id: applicationId } = parseParameters(applicationParams, params);
        await authorizeApplication(db, principal, applicationId);
        const subscriptionIds = await db.transaction(async (transaction) => {
          await notifyTokensDeleted(transaction);
          return deleteApplication(transaction, applicationId);
        });
        tokens.clear();
        await settleSubscriptions(db, notifier, subscriptionIds);
        return { status: 204 };
      },
    },
  ];
}

function readPost(body: unknown): { organization_id: string; name: string } {
  const post = parseBody(applicationPost, body);
  if (post.name.trim() === '') {
    throw new ProblemError('ApplicationNameMissing');
  }
  return { ...post, ...parseBody(applicationName, post) };
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
