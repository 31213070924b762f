import { z } from 'zod';
import { sentCount } from '../http/schemas.ts';
import { isProblemId, problems } from '../problems.ts';

/** The ids that clients know: a closed set. */
const problemId = z.enum(Object.keys(problems).filter(isProblemId));

const fieldProblem = z
  .object({ code: z.string(), message: z.string(), params: z.record(z.string(), z.unknown()) })
  .meta({ id: 'FieldProblem', description: 'What is wrong with a field, and the bounds that apply.' });

/** Every answer that is no success (RFC 9457). */
export const problemView = z
  .object({
    type: z.url().meta({ description: 'Where the problem is explained.' }),
    title: z.string(),
    status: sentCount,
    detail: z.string().meta({ description: 'What is wrong this time.' }),
    id: problemId.meta({ id: 'ProblemId', description: 'A closed set.' }),
    validation: z
      .record(z.string(), z.array(fieldProblem))
      .nullable()
      .meta({ description: 'What is wrong, by field; null but for `Validation`.' }),
    instance: z.string().nullable().meta({ description: 'The path of the request.' }),
    code: z.string().optional().meta({ description: 'A finer name, where one id stands for several failures.' }),
  })
  .meta({ id: 'Problem' });

/** What `/errors` says of a problem. */
export const explainedProblemView = problemView
  .pick({ type: true, id: true, title: true, detail: true, status: true })
  .meta({ id: 'ExplainedProblem' });

export const errorParams = z.object({ id: z.string() });
