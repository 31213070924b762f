import { deleteOrganization } from '@postrider/shared/database/queries/delete-organization';
import { insertOrganization } from '@postrider/shared/database/queries/insert-organization';
import { listOrganizations, type OrganizationRow } from '@postrider/shared/database/queries/list-organizations';
import { renameOrganization } from '@postrider/shared/database/queries/rename-organization';
import { newId } from '@postrider/shared/domain/ids';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { invalidField, parseBody, parseParameters } from '../http/parse.ts';
import type { Route } from '../http/route.ts';
import { optional, text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { stepOf, unlimited } from './usage.ts';

const organizationPost = z.object({ name: z.string(), organization_id: optional(uuid) });
const organizationName = z.object({ name: text(2, 50) });
const organizationParams = z.object({ organization_id: uuid });

/** Organizations, which own applications. */
export function organizationRoutes({ db }: ApiContext): Route[] {
  async function find(organizationId: string): Promise<OrganizationRow> {
    const [row] = await listOrganizations(db, organizationId);
    if (!row) {
      throw new ProblemError('NotFound', { detail: 'There is no organization of this id.' });
    }
    return row;
  }

  return [
    {
      method: 'get',
      path: '/organizations',
      access: 'organization',
      async handle() {
        const rows = await listOrganizations(db);
        return { status: 200, body: rows.map(({ organization_id, name }) => ({ organization_id, name, role: 'master', plan: null })) };
      },
    },
    {
      method: 'post',
      path: '/organizations',
      access: 'organization',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ body }) {
        const post = readPost(body);
        const organizationId = post.organization_id ?? newId();
        await insertOrganization(db, { organizationId, name: post.name });
        const [row] = await listOrganizations(db, organizationId);
        if (!row) {
          throw invalidField('organization_id', { code: 'deleted', message: 'an organization of this id was deleted' });
        }
        return { status: 200, body: view(row) };
      },
    },
    {
      method: 'get',
      path: '/organizations/:organization_id',
      access: 'organization',
      async handle({ params }) {
        return { status: 200, body: view(await find(parseParameters(organizationParams, params).organization_id)) };
      },
    },
    {
      method: 'put',
      path: '/organizations/:organization_id',
      access: 'organization',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ params, body }) {
        const { organization_id: organizationId } = parseParameters(organizationParams, params);
        await renameOrganization(db, organizationId, readPost(body).name);
        return { status: 200, body: view(await find(organizationId)) };
      },
    },
    {
      method: 'delete',
      path: '/organizations/:organization_id',
      access: 'organization',
      async handle({ params }) {
        const { organization_id: organizationId } = parseParameters(organizationParams, params);
        if (!(await deleteOrganization(db, organizationId))) {
          await find(organizationId);
          throw new ProblemError('OrganizationIsNotEmpty');
        }
        return { status: 204 };
      },
    },
  ];
}

function readPost(body: unknown): { name: string; organization_id: string | null } {
  const post = parseBody(organizationPost, body);
  if (post.name.trim() === '') {
    throw new ProblemError('OrganizationNameMissing');
  }
  return { ...post, ...parseBody(organizationName, post) };
}

function view(row: OrganizationRow) {
  return {
    organization_id: row.organization_id,
    name: row.name,
    plan: null,
    users: [],
    quotas: {
      members_per_organization_limit: unlimited,
      applications_per_organization_limit: unlimited,
      events_per_day_limit: unlimited,
      days_of_events_retention_limit: unlimited,
    },
    consumption: { members: 0, applications: row.applications, events_per_day: row.events_today },
    onboarding_steps: {
      application: stepOf(row.applications > 0),
      event_type: stepOf(row.has_event_type),
      subscription: stepOf(row.has_subscription),
      event: stepOf(row.has_event),
    },
  };
}
