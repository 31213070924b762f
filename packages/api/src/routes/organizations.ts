import type { Database } from '@postrider/shared/database/pool';
import { listOrganizations, type OrganizationRow } from '@postrider/shared/database/queries/list-organizations';
import { installationId } from '@postrider/shared/domain/audit-entry';
import { newId } from '@postrider/shared/domain/ids';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { invalidField, orProblem } from '../http/parse.ts';
import { optional, text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { changeOrganization, createOrganization, removeOrganization } from '../services/write-organization.ts';
import { stepOf, unlimited } from './usage.ts';

const wantedName = z
  .string()
  .refine((value) => value.trim() !== '', { ...orProblem('OrganizationNameMissing'), abort: true })
  .pipe(text(2, 50));
/** The audit log keeps the changes of the installation itself under this one. */
const wantedId = uuid.refine((id) => id !== installationId, { error: 'this id is reserved' });
const organizationPost = z.object({ name: wantedName, organization_id: optional(wantedId) });
const organizationParams = z.object({ organization_id: uuid });

/** Organizations, which own applications. */
export function organizationRoutes(): Route[] {
  return [...readRoutes(), ...writeRoutes()];
}

function readRoutes(): Route[] {
  return [
    defineRoute({
      name: 'organizations.list',
      summary: 'Lists the organizations that the token may see',
      method: 'get',
      path: '/organizations',
      access: 'organization',
      answer: { status: 200 },
      async handle({ db }) {
        const rows = await listOrganizations(db);
        return { status: 200, body: rows.map(({ organization_id, name }) => ({ organization_id, name, role: 'master', plan: null })) };
      },
    }),
    defineRoute({
      name: 'organizations.get',
      summary: 'Reads an organization and what it uses',
      method: 'get',
      path: '/organizations/:organization_id',
      access: 'organization',
      params: organizationParams,
      answer: { status: 200 },
      problems: ['NotFound'],
      async handle({ db, params }) {
        return { status: 200, body: view(await find(db, params.organization_id)) };
      },
    }),
  ];
}

function writeRoutes(): Route[] {
  return [
    defineRoute({
      name: 'organizations.create',
      summary: 'Creates an organization',
      method: 'post',
      path: '/organizations',
      access: 'organization',
      body: organizationPost,
      answer: { status: 200 },
      problems: ['OrganizationNameMissing'],
      async handle({ db, audit, body: post }) {
        const organizationId = post.organization_id ?? newId();
        await createOrganization(db, audit, { organizationId, name: post.name });
        const [row] = await listOrganizations(db, organizationId);
        if (!row) {
          throw invalidField('organization_id', { code: 'deleted', message: 'an organization of this id was deleted' });
        }
        return { status: 200, body: view(row) };
      },
    }),
    defineRoute({
      name: 'organizations.update',
      summary: 'Renames an organization',
      method: 'put',
      path: '/organizations/:organization_id',
      access: 'organization',
      params: organizationParams,
      body: organizationPost,
      answer: { status: 200 },
      problems: ['OrganizationNameMissing', 'NotFound'],
      async handle({ db, audit, params, body }) {
        const { organization_id: organizationId } = params;
        await changeOrganization(db, audit, { organizationId, name: body.name });
        return { status: 200, body: view(await find(db, organizationId)) };
      },
    }),
    defineRoute({
      name: 'organizations.delete',
      summary: 'Deletes an organization that has no applications',
      method: 'delete',
      path: '/organizations/:organization_id',
      access: 'organization',
      params: organizationParams,
      answer: { status: 204 },
      problems: ['OrganizationIsNotEmpty', 'NotFound'],
      async handle({ db, audit, params }) {
        const { organization_id: organizationId } = params;
        if (!(await removeOrganization(db, audit, organizationId))) {
          await find(db, organizationId);
          throw new ProblemError('OrganizationIsNotEmpty');
        }
        return { status: 204 };
      },
    }),
  ];
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

async function find(db: Database, organizationId: string): Promise<OrganizationRow> {
  const [row] = await listOrganizations(db, organizationId);
  if (!row) {
    throw new ProblemError('NotFound', { detail: 'There is no organization of this id.' });
  }
  return row;
}
