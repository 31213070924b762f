import { z } from 'zod';
import { type FieldProblem, isProblemId, ProblemError, type ProblemId, problems } from '../problems.ts';

/**
 * Reads a request body. Members that are missing or of the wrong type are a `JsonPayload` problem, values out of bounds a `Validation` one;
 * both name every field.
 */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) {
    return parsed.data;
  }
  const { issues } = parsed.error;
  const named = issues.map(problemNamedBy).find((problem) => problem !== null);
  const undecodable = issues.filter(
    (issue) => issue.code === 'invalid_type' || issue.code === 'invalid_format' || issue.code === 'invalid_union',
  );
  if (undecodable.length > 0) {
    const detail = undecodable.map((issue) => `${fieldOf(issue)}: ${issue.message}`).join('; ');
    throw new ProblemError('JsonPayload', { detail });
  }
  throw named ?? validationProblem(issues);
}

/** The check of a schema whose failure has a problem of its own: `refine(isFine, orProblem('LabelsAmbiguity'))`. */
export function orProblem(problem: ProblemId): { readonly error: string; readonly params: { readonly problem: ProblemId } } {
  return { error: problems[problem].detail, params: { problem } };
}

function problemNamedBy(issue: z.core.$ZodIssue): ProblemError | null {
  const id: unknown = issue.code === 'custom' ? issue.params?.['problem'] : undefined;
  return isProblemId(id) ? new ProblemError(id) : null;
}

/** Reads query or path parameters. Whatever is wrong with them is a `Validation` problem that names the parameter. */
export function parseParameters<S extends z.ZodType>(schema: S, parameters: unknown): z.output<S> {
  const parsed = schema.safeParse(parameters);
  if (parsed.success) {
    return parsed.data;
  }
  throw validationProblem(parsed.error.issues);
}

function validationProblem(issues: readonly z.core.$ZodIssue[]): ProblemError {
  const validation: Record<string, FieldProblem[]> = {};
  for (const issue of issues) {
    const field = fieldOf(issue);
    validation[field] = [...(validation[field] ?? []), { code: codeOf(issue), message: issue.message, params: paramsOf(issue) }];
  }
  return new ProblemError('Validation', { validation, detail: `Invalid: ${Object.keys(validation).join(', ')}.` });
}

/** The one field problem that is found outside of a schema. */
export function invalidField(field: string, problem: { readonly code: string; readonly message: string }): ProblemError {
  return new ProblemError('Validation', { validation: { [field]: [{ ...problem, params: {} }] }, detail: `${field}: ${problem.message}` });
}

function fieldOf(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? 'body' : issue.path.map(String).join('.');
}

function codeOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int' ? 'range' : 'length';
    default:
      return issue.code;
  }
}

function paramsOf(issue: z.core.$ZodIssue): Record<string, unknown> {
  switch (issue.code) {
    case 'too_small':
      return { min: issue.minimum };
    case 'too_big':
      return { max: issue.maximum };
    case 'invalid_value':
      return { allowed: issue.values };
    default:
      return {};
  }
}
