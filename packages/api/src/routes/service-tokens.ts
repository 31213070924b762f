import type { DatabasePool } from '@postrider/shared/database/pool';
import { listApplications } from '@postrider/shared/database/queries/list-applications';
import { listServiceTokens, type ServiceTokenRow } from '@postrider/shared/database/queries/list-service-tokens';
import { type SecretsKey, unseal } from '@postrider/shared/secrets/sealed-secret';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { invalidField } from '../http/parse.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { organizationQuery, serviceTokenParams, serviceTokenPost, serviceTokenView } from '../schemas/service-token.ts';
import { changeServiceToken, createServiceToken, removeServiceToken } from '../services/write-service-token.ts';

/** The tokens of organizations. `grantable` are the operations that one can be restricted to. */
export function serviceTokenRoutes(context: ApiContext, grantable: ReadonlySet<string>): Route[] {
  const post = serviceTokenPost(grantable);
  return [...readRoutes(context), ...createRoutes(context, post), ...changeRoutes(context, post)];
}

type PostSchema = ReturnType<typeof serviceTokenPost>;

function readRoutes({ secretsKey }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'service_tokens.list',
      summary: 'Lists the service tokens of an organization',
      method: 'get',
      path: '/service_token',
      access: 'organization',
      organization: 'query',
      handsOut: true,
      query: organizationQuery,
      answer: { status: 200, schema: z.array(serviceTokenView) },
      async handle({ db, query }) {
        const rows = await listServiceTokens(db, { organizationId: query.organization_id });
        return { status: 200, body: rows.map((row) => view(secretsKey, row)) };
      },
    }),
    defineRoute({
      name: 'service_tokens.get',
      summary: 'Reads a service token',
      method: 'get',
      path: '/service_token/:service_token_id',
      access: 'organization',
      organization: 'query',
      handsOut: true,
      params: serviceTokenParams,
      query: organizationQuery,
      answer: { status: 200, schema: serviceTokenView },
      problems: ['NotFound'],
      async handle({ db, params, query }) {
        const [row] = await listServiceTokens(db, {
          organizationId: query.organization_id,
          serviceTokenId: params.service_token_id,
        });
        return { status: 200, body: view(secretsKey, found(row)) };
      },
    }),
  ];
}

function createRoutes({ secretsKey }: ApiContext, post: PostSchema): Route[] {
  return [
    defineRoute({
      name: 'service_tokens.create',
      summary: 'Creates a service token',
      method: 'post',
      path: '/service_token',
      access: 'organization',
      organization: 'body',
      handsOut: true,
      body: post,
      answer: { status: 201, schema: serviceTokenView },
      problems: ['InvalidRole'],
      async handle({ db, audit, body }) {
        await checkApplications(db, body);
        const row = await createServiceToken(db, audit, secretsKey, wantedOf(body));
        if (!row) {
          throw new ProblemError('Forbidden', { detail: 'The organization does not exist.' });
        }
        return { status: 201, body: view(secretsKey, row) };
      },
    }),
  ];
}

function changeRoutes({ secretsKey, tokens }: ApiContext, post: PostSchema): Route[] {
  return [
    defineRoute({
      name: 'service_tokens.update',
      summary: 'Writes a service token anew, restrictions included; the token itself stays',
      method: 'put',
      path: '/service_token/:service_token_id',
      access: 'organization',
      organization: 'body',
      handsOut: true,
      params: serviceTokenParams,
      body: post,
      answer: { status: 200, schema: serviceTokenView },
      problems: ['NotFound', 'InvalidRole'],
      async handle({ db, audit, params, body }) {
        await checkApplications(db, body);
        const row = await tokens.forgetAfter(changeServiceToken(db, audit, { ...wantedOf(body), serviceTokenId: params.service_token_id }));
        return { status: 200, body: view(secretsKey, found(row)) };
      },
    }),
    defineRoute({
      name: 'service_tokens.delete',
      summary: 'Deletes a service token: it is refused from then on',
      method: 'delete',
      path: '/service_token/:service_token_id',
      access: 'organization',
      organization: 'query',
      handsOut: true,
      params: serviceTokenParams,
      query: organizationQuery,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, params, query }) {
        const token = { organizationId: query.organization_id, serviceTokenId: params.service_token_id };
        const isDeleted = await tokens.forgetAfter(removeServiceToken(db, audit, token));
        if (!isDeleted) {
          throw noToken();
        }
        return { status: 204 };
      },
    }),
  ];
}

function wantedOf(post: z.output<PostSchema>) {
  return {
    organizationId: post.organization_id,
    name: post.name,
    role: post.role ?? 'editor',
    applicationIds: post.application_ids,
    actions: post.actions,
    expiresAt: post.expires_at,
  };
}

/** An application stays in its organization, so that this holds for as long as the token lives. */
async function checkApplications(db: DatabasePool, post: z.output<PostSchema>): Promise<void> {
  if (post.application_ids === null) {
    return;
  }
  const known = new Set((await listApplications(db, post.organization_id)).map(({ application_id: id }) => id));
  const unknown = post.application_ids.filter((id) => !known.has(id));
  if (unknown.length > 0) {
    throw invalidField('application_ids', { code: 'unknown', message: `the organization has no such applications: ${unknown.join(', ')}` });
  }
}

function found(row: ServiceTokenRow | undefined): ServiceTokenRow {
  if (!row) {
    throw noToken();
  }
  return row;
}

function noToken(): ProblemError {
  return new ProblemError('NotFound', { detail: 'The organization has no service token of this id.' });
}

function view(secretsKey: SecretsKey, row: ServiceTokenRow) {
  return {
    token_id: row.service_token_id,
    name: row.name,
    biscuit: unseal(secretsKey, row.token_sealed, `service_token:${row.service_token_id}`),
    created_at: row.created_at,
    role: row.role,
    application_ids: row.application_ids,
    actions: row.actions,
    expires_at: row.expires_at,
  };
}
