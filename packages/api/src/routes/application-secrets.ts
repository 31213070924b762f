import { type ApplicationSecretRow, listApplicationSecrets } from '@postrider/shared/database/queries/list-application-secrets';
import { type SecretsKey, unseal } from '@postrider/shared/secrets/sealed-secret';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { applicationSecretParams, applicationSecretPost, applicationSecretView } from '../schemas/application-secrets.ts';
import { changeApplicationSecret, createApplicationSecret, removeApplicationSecret } from '../services/write-application-secret.ts';

/** The tokens of applications. */
export function applicationSecretRoutes(context: ApiContext): Route[] {
  return [...readRoutes(context), ...writeRoutes(context)];
}

function readRoutes({ secretsKey }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'application_secrets.list',
      summary: 'Lists the secrets of an application',
      method: 'get',
      path: '/application_secrets',
      access: 'application',
      application: 'query',
      handsOut: true,
      query: applicationQuery,
      answer: { status: 200, schema: z.array(applicationSecretView) },
      async handle({ db, query }) {
        const { application_id: applicationId } = query;
        const rows = await listApplicationSecrets(db, applicationId);
        return { status: 200, body: rows.map((row) => view(secretsKey, row)) };
      },
    }),
  ];
}

function writeRoutes({ secretsKey, tokens }: ApiContext): Route[] {
  return [
    defineRoute({
      name: 'application_secrets.create',
      summary: 'Creates an application secret',
      method: 'post',
      path: '/application_secrets',
      access: 'application',
      application: 'body',
      handsOut: true,
      body: applicationSecretPost,
      answer: { status: 201, schema: applicationSecretView },
      async handle({ db, audit, body: post }) {
        const row = await createApplicationSecret(db, audit, secretsKey, { applicationId: post.application_id, name: post.name });
        return { status: 201, body: view(secretsKey, row) };
      },
    }),
    defineRoute({
      name: 'application_secrets.update',
      summary: 'Renames an application secret',
      method: 'put',
      path: '/application_secrets/:application_secret_token',
      access: 'application',
      application: 'body',
      handsOut: true,
      params: applicationSecretParams,
      body: applicationSecretPost,
      answer: { status: 200, schema: applicationSecretView },
      problems: ['NotFound'],
      async handle({ db, audit, params, body: post }) {
        const { application_secret_token: token } = params;
        const row = await changeApplicationSecret(db, audit, { applicationId: post.application_id, token, name: post.name });
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'The application has no such secret.' });
        }
        return { status: 200, body: view(secretsKey, row) };
      },
    }),
    defineRoute({
      name: 'application_secrets.delete',
      summary: 'Deletes an application secret: it is refused from then on',
      method: 'delete',
      path: '/application_secrets/:application_secret_token',
      access: 'application',
      application: 'query',
      handsOut: true,
      params: applicationSecretParams,
      query: applicationQuery,
      answer: { status: 204 },
      problems: ['NotFound'],
      async handle({ db, audit, params, query }) {
        const { application_id: applicationId } = query;
        const { application_secret_token: token } = params;
        const isDeleted = await tokens.forgetAfter(removeApplicationSecret(db, audit, applicationId, token));
        if (!isDeleted) {
          throw new ProblemError('NotFound', { detail: 'The application has no such secret.' });
        }
        return { status: 204 };
      },
    }),
  ];
}

function view(secretsKey: SecretsKey, row: ApplicationSecretRow): z.output<typeof applicationSecretView> {
  return {
    name: row.name,
    token: unseal(secretsKey, row.token_sealed, `application_secret:${row.application_secret_id}`),
    created_at: row.created_at,
    deleted_at: row.deleted_at,
  };
}
