import type { Database } from '@postrider/shared/database/pool';
import { listOrganizations, type OrganizationRow } from '@postrider/shared/database/queries/list-organizations';
import { newId } from '@postrider/shared/domain/ids';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { invalidField } from '../http/parse.ts';
import { ProblemError } from '../problems.ts';
import { organizationInfoView, organizationParams, organizationPost, organizationPut, organizationView } from '../schemas/organizations.ts';
import type { Quotas } from '../services/limits/quotas.ts';
import { changeOrganization, createOrganization, removeOrganization } from '../services/write-organization.ts';
import { stepOf } from './usage.ts';

/** Organizations, which own applications. */
export function organizationRoutes(context: ApiContext): Route[] {
  return [...readRoutes(context), ...writeRoutes(context), ...deleteRoutes(context)];
}

function readRoutes({ quotas }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'organizations.list',
      summary: 'Lists the organizations that the token may see',
      method: 'get',
      path: '/organizations',
      access: 'organization',
      keepsToApplications: true,
      answer: { status: 200, schema: z.array(organizationView) },
      async handle({ db, principal }) {
        const own = principal.kind === 'service' ? principal : null;
        const rows = await listOrganizations(db, own?.organizationId ?? null);
        return { status: 200, body: rows.map((row) => view(row, own?.role ?? 'master')) };
      },
    }),
    defineRoute({
      name: 'organizations.get',
      summary: 'Reads an organization and what it uses',
      method: 'get',
      path: '/organizations/:organization_id',
      access: 'organization',
      organization: 'params',
      params: organizationParams,
      answer: { status: 200, schema: organizationInfoView },
      problems: ['NotFound'],
      async handle({ db, params }) {
        return { status: 200, body: await infoOf(db, quotas, await find(db, params.organization_id)) };
      },
    }),
  ];
}

function writeRoutes({ quotas, tokens }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'organizations.create',
      summary: 'Creates an organization',
      method: 'post',
      path: '/organizations',
      access: 'master',
      body: organizationPost,
      answer: { status: 200, schema: organizationInfoView },
      problems: ['OrganizationNameMissing'],
      async handle({ db, audit, body: post }) {
        const organizationId = post.organization_id ?? newId();
        await createOrganization(db, audit, { organizationId, name: post.name });
        const [row] = await listOrganizations(db, organizationId);
        if (!row) {
          throw invalidField('organization_id', { code: 'deleted', message: 'an organization of this id was deleted' });
        }
        return { status: 200, body: await infoOf(db, quotas, row) };
      },
    }),
    defineRoute({
      name: 'organizations.update',
      summary: 'Renames an organization and gives it quotas of its own',
      method: 'put',
      path: '/organizations/:organization_id',
      access: 'master',
      params: organizationParams,
      body: organizationPut,
      answer: { status: 200, schema: organizationInfoView },
      problems: ['OrganizationNameMissing', 'NotFound'],
      async handle({ db, audit, params, body }) {
        const { organization_id: organizationId } = params;
        const change = changeOrganization(db, audit, { organizationId, name: body.name, limits: body.quotas });
        await (body.quotas === null ? change : tokens.forgetAfter(change));
        return { status: 200, body: await infoOf(db, quotas, await find(db, organizationId)) };
      },
    }),
  ];
}

function deleteRoutes({ tokens }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'organizations.delete',
      summary: 'Deletes an organization that has no applications',
      method: 'delete',
      path: '/organizations/:organization_id',
      access: 'master',
      params: organizationParams,
      answer: { status: 204 },
      problems: ['OrganizationIsNotEmpty', 'NotFound'],
      async handle({ db, audit, params }) {
        const { organization_id: organizationId } = params;
        const isDeleted = await tokens.forgetAfter(removeOrganization(db, audit, organizationId));
        if (!isDeleted) {
          await find(db, organizationId);
          throw new ProblemError('OrganizationIsNotEmpty');
        }
        return { status: 204 };
      },
    }),
  ];
}

function view(row: OrganizationRow, role: z.output<typeof organizationView>['role']): z.output<typeof organizationView> {
  return { organization_id: row.organization_id, role, name: row.name, plan: null };
}

async function infoOf(db: Database, quotas: Quotas, row: OrganizationRow): Promise<z.output<typeof organizationInfoView>> {
  return {
    organization_id: row.organization_id,
    name: row.name,
    plan: null,
    users: [],
    quotas: { ...(await quotas.ofOrganization(db, row.organization_id)) },
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
