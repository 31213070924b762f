import { isUtf8 } from 'node:buffer';
import { findResponse, type ResponseRow } from '@postrider/shared/database/queries/find-response';
import { z } from 'zod';
import type { ApiContext } from '../context.ts';
import { authorizeApplication } from '../http/authenticate.ts';
import { parseParameters } from '../http/parse.ts';
import type { Route } from '../http/route.ts';
import { applicationQuery, uuid } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';

const responseParams = z.object({ response_id: uuid });

/** What receivers answered, or why they could not be asked. */
export function responseRoutes({ db }: ApiContext): Route[] {
  return [
    {
      method: 'get',
      path: '/responses/:response_id',
      access: 'application',
      async handle({ principal, query, params }) {
        const { application_id: applicationId } = parseParameters(applicationQuery, query);
        const { response_id: responseId } = parseParameters(responseParams, params);
        await authorizeApplication(db, principal, applicationId);
        const row = await findResponse(db, applicationId, responseId);
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'The application has no response of this id.' });
        }
        return { status: 200, body: view(row) };
      },
    },
  ];
}

function view(row: ResponseRow) {
  const body = row.response_body;
  const isText = body === null || isReadable(body, row.response_body_truncated);
  return {
    response_id: row.response_id,
    response_error_name: row.error_name,
    http_code: row.http_code,
    headers: row.response_headers,
    body: body === null ? null : body.toString(isText ? 'utf8' : 'base64'),
    body_encoding: isText ? 'utf8' : 'base64',
    body_truncated: row.response_body_truncated,
    elapsed_time_ms: row.elapsed_ms,
  };
}

/** A text that was cut may end in the middle of a character, of at most four bytes. */
function isReadable(body: Buffer, isTruncated: boolean): boolean {
  const cutsMax = isTruncated ? Math.min(3, body.length) : 0;
  for (let cut = 0; cut <= cutsMax; cut += 1) {
    if (isUtf8(body.subarray(0, body.length - cut))) {
      return true;
    }
  }
  return false;
}
