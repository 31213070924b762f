import { isUtf8 } from 'node:buffer';
import { findResponse, type ResponseRow } from '@postrider/shared/database/queries/find-response';
import type { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { applicationQuery } from '../http/schemas.ts';
import { ProblemError } from '../problems.ts';
import { responseParams, responseView } from '../schemas/responses.ts';

/** What receivers answered, or why they could not be asked. */
export function responseRoutes(): Route[] {
  return [
    defineRoute({
      name: 'responses.get',
      summary: 'Reads what a receiver answered',
      method: 'get',
      path: '/responses/:response_id',
      access: 'application',
      application: 'query',
      params: responseParams,
      query: applicationQuery,
      answer: { status: 200, schema: responseView },
      problems: ['NotFound'],
      async handle({ db, query, params }) {
        const { application_id: applicationId } = query;
        const { response_id: responseId } = params;
        const row = await findResponse(db, applicationId, responseId);
        if (!row) {
          throw new ProblemError('NotFound', { detail: 'The application has no response of this id.' });
        }
        return { status: 200, body: view(row) };
      },
    }),
  ];
}

function view(row: ResponseRow): z.output<typeof responseView> {
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
