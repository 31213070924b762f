import { z } from 'zod';

/** What the process ends with; `postrider --help` and docs/cli.md list the same. */
export const exitCodes = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;

/** The command line asks for what cannot be: nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** No answer of a Postrider API came back: whether a request arrived is not known. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** A problem document (RFC 9457), as far as it is shown. Fields that are missing or of another kind are left out rather than refused. */
const problem = z.object({
  type: z.string().nullish().catch(null),
  title: z.string().catch('The API refused this'),
  detail: z.string().nullish().catch(null),
  id: z.string().nullish().catch(null),
  code: z.string().nullish().catch(null),
  validation: z
    .record(z.string(), z.array(z.object({ message: z.string() })))
    .nullish()
    .catch(null),
});

export type Problem = z.output<typeof problem>;

/** The API answered, and the answer is no. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly problem: Problem;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(answer: {
    readonly status: number;
    readonly problem: Problem;
    readonly requestId: string | null;
    readonly retryAfterSeconds: number | null;
  }) {
    super(answer.problem.title);
    this.status = answer.status;
    this.problem = answer.problem;
    this.requestId = answer.requestId;
    this.retryAfterSeconds = answer.retryAfterSeconds;
  }
}

/** Reads a problem document; null for anything else. */
export function readProblem(body: unknown): Problem | null {
  return problem.safeParse(body).data ?? null;
}

/** What a person reads of a failure, a line each; the first stands for itself. */
export function describeFailure(error: unknown): string[] {
  if (!(error instanceof RefusedError)) {
    return [error instanceof Error ? error.message : String(error)];
  }
  const { status, requestId, retryAfterSeconds } = error;
  const { title, detail, id, validation, type } = error.problem;
  const fields = Object.entries(validation ?? {}).flatMap(([field, problems]) => problems.map(({ message }) => `  ${field}: ${message}`));
  return [
    `${title} (${[String(status), id].filter(Boolean).join(' ')})`,
    ...(detail && detail !== title ? [detail] : []),
    ...fields,
    ...(retryAfterSeconds === null ? [] : [`Try again in ${retryAfterSeconds} s.`]),
    ...(status >= 500 && requestId !== null ? [`X-Request-Id: ${requestId}`] : []),
    ...(type && /^https?:/.test(type) ? [`See ${type}`] : []),
  ];
}

/** The exit code of a failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) {
    return exitCodes.usage;
  }
  return error instanceof UnreachableError ? exitCodes.unreachable : exitCodes.refused;
}
