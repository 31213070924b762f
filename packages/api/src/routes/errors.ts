import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { isProblemId, ProblemError, type ProblemId, problems, problemTypeUrl } from '../problems.ts';
import { errorParams, explainedProblemView } from '../schemas/problems.ts';

/** The explanations that the `type` of every problem leads to. */
export function errorRoutes(): Route[] {
  return [
    defineRoute({
      name: 'errors.list',
      summary: 'Lists the problems that requests can end with',
      method: 'get',
      path: '/errors',
      access: 'public',
      answer: { status: 200, schema: z.array(explainedProblemView) },
      async handle({ origin }) {
        return {
          status: 200,
          body: Object.keys(problems)
            .filter(isProblemId)
            .map((id) => problemOf(origin, id)),
        };
      },
    }),
    defineRoute({
      name: 'errors.get',
      summary: 'Explains a problem',
      method: 'get',
      path: '/errors/:id',
      access: 'public',
      params: errorParams,
      answer: { status: 200, schema: explainedProblemView },
      problems: ['NotFound'],
      async handle({ origin, params }) {
        const id = params.id;
        if (!isProblemId(id)) {
          throw new ProblemError('NotFound', { detail: 'There is no error of this name.' });
        }
        return { status: 200, body: problemOf(origin, id) };
      },
    }),
  ];
}

function problemOf(origin: string, id: ProblemId): z.output<typeof explainedProblemView> {
  return { type: problemTypeUrl(origin, id), id, ...problems[id] };
}
