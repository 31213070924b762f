import { z } from 'zod';
import { orProblem } from '../http/parse.ts';
import { text, textPattern } from '../http/schemas.ts';
import type { ProblemId } from '../problems.ts';

const bounds = { min: 2, max: 50 } as const;

/** The name of something that cannot be without one: an empty name has a problem of its own. */
export function nameOr(problem: ProblemId) {
  return z
    .string()
    .refine((value) => value.trim() !== '', { ...orProblem(problem), abort: true })
    .pipe(text(bounds.min, bounds.max))
    .meta({ minLength: bounds.min, maxLength: bounds.max, pattern: textPattern });
}
