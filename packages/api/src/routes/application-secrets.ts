import { deleteApplicationSecret } from '@postrider/shared/database/queries/delete-application-secret';
import { type ApplicationSecretRow, listApplicationSecrets } from '@postrider/shared/database/queries/list-application-secrets';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { renameApplicationSecret } from '@postrider/shared/database/queries/rename-application-secret';
import { requestBodyBytesMax } from '@postrider/shared/domain/limits';
import { type SecretsKey, tokenHash, unseal } from '@postrider/shared/secrets/sealed-secret';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { authorizeApplication } from '../http/authenticate.ts';
import { authorizeBody } from '../http/authorize-body.ts';
import { parseBody, parseParameters } from '../http/parse.ts';
import type { Route } from '../http/route.ts';
import { applicationQuery, optional, text, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { createApplicationSecret } from '../services/create-application-secret.ts';

const secretPost = z.object({ application_id: uuid, name: optional(text(1, 50)) });
const secretParams = z.object({ application_secret_token: uuid });

/** The tokens of applications. */
export function applicationSecretRoutes({ db, secretsKey, tokens }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/application_secrets',
      access: 'application',
      async handle({ principal, query }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        await authorizeApplication(db, principal, applicationId);
        const rows = await listApplicationSecrets(db, applicationId);
        return { status: 200, body: rows.map((row) => view(secretsKey, row)) };
      },
    },
    {
      method: 'post',
      path: '/application_secrets',
      access: 'application',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ principal, body }) {
        await authorizeBody(db, principal, body);
        const post = parseBody(secretPost, body);
        const row = await createApplicationSecret(db, secretsKey, { applicationId: post.application_id, name: post.name });
        return { status: 201, body: view(secretsKey, row) };
      },
    },
    {
      method: 'put',
      path: '/application_secrets/:application_secret_token',
      access: 'application',
      bodyBytesMax: requestBodyBytesMax,
      async handle({ principal, params, body }) {
        await authorizeBody(db, principal, body);
        const { application_secret_token: token } = parseParameters(secretParams, params);
        const post = parseBody(secretPost, body);
        const row = await renameApplicationSecret(db, { applicationId: post.application_id, tokenHash: tokenHash(token), name: post.name });
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'The application has no such secret.' });
        }
        return { status: 200, body: view(secretsKey, row) };
      },
    },
    {
      method: 'delete',
      path: '/application_secrets/:application_secret_token',
      access: 'application',
      async handle({ principal, params, query }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        const { application_secret_token: token } = parseParameters(secretParams, params);
        await authorizeApplication(db, principal, applicationId);
        const isDeleted = await db.transaction(async (transaction) => {
          await notifyTokensDeleted(transaction);
          return deleteApplicationSecret(transaction, applicationId, tokenHash(token));
        });
        tokens.clear();
        if (!isDeleted) {
          throw new ProblemError('NotFound', { detail: 'The application has no such secret.' });
        }
        return { status: 204 };
      },
    },
  ];
}

function view(secretsKey: SecretsKey, row: ApplicationSecretRow) {
  return {
    name: row.name,
    token: unseal(secretsKey, row.token_sealed, `application_secret:${row.application_secret_id}`),
    created_at: row.created_at,
    deleted_at: row.deleted_at,
  };
}
