import type { ProblemId, Schemas } from './types.ts';

/** What is wrong with a field: a code, words, and the bounds that apply. */
export type FieldProblem = Schemas['FieldProblem'];

interface Refusal {
  readonly operation: string;
  readonly status: number;
  readonly id: ProblemId | null;
  readonly title: string | null;
  readonly detail: string;
  readonly validation: Readonly<Record<string, readonly FieldProblem[]>> | null;
  readonly code: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
}

/** The API answered, and the answer is a failure. */
export class PostriderError extends Error {
  override readonly name = 'PostriderError';
  /** What was called, such as `POST /event`. Values are left out, because some of them are secrets. */
  readonly operation: string;
  readonly status: number;
  /** What went wrong, as the API names it. Null when something else than Postrider answered, such as a proxy. */
  readonly id: ProblemId | null;
  readonly title: string | null;
  /** What is wrong this time, in words. */
  readonly detail: string;
  /** What is wrong, by field; null but for `Validation`. */
  readonly validation: Readonly<Record<string, readonly FieldProblem[]>> | null;
  /** A finer name, where one id stands for several failures. */
  readonly code: string | null;
  /** Finds the request in the logs of the API. */
  readonly requestId: string | null;
  /** How long the API asks to wait before the next try. */
  readonly retryAfterMs: number | null;
  /** How often it was tried. */
  readonly attempts: number;

  constructor(refusal: Refusal, attempts = 1) {
    const fields = Object.entries(refusal.validation ?? {}).map(([field, [first]]) => `${field}: ${first?.message ?? 'invalid'}`);
    const name = refusal.id === null ? '' : ` ${refusal.id}`;
    super(`${refusal.operation} answered ${refusal.status}${name}: ${[refusal.detail, ...fields].join(' ')}`);
    this.operation = refusal.operation;
    this.status = refusal.status;
    this.id = refusal.id;
    this.title = refusal.title;
    this.detail = refusal.detail;
    this.validation = refusal.validation;
    this.code = refusal.code;
    this.requestId = refusal.requestId;
    this.retryAfterMs = refusal.retryAfterMs;
    this.attempts = attempts;
  }

  /** The same failure, after this many tries. */
  after(attempts: number): PostriderError {
    return new PostriderError(this, attempts);
  }
}

/** No answer came. Whether the request was carried out is not known, unless `wasSent` is false. */
export class PostriderTransportError extends Error {
  override readonly name = 'PostriderTransportError';
  /** What was called, such as `POST /event`. */
  readonly operation: string;
  readonly reason: 'connection' | 'timeout';
  /** False when it is certain that the request did not reach the API. */
  readonly wasSent: boolean;
  /** How often it was tried. */
  readonly attempts: number;

  constructor(
    message: string,
    failure: Pick<PostriderTransportError, 'operation' | 'reason' | 'wasSent'> & { readonly cause: unknown },
    attempts = 1,
  ) {
    super(message, { cause: failure.cause });
    this.operation = failure.operation;
    this.reason = failure.reason;
    this.wasSent = failure.wasSent;
    this.attempts = attempts;
  }

  /** The same failure, after this many tries. */
  after(attempts: number): PostriderTransportError {
    const { message, operation, reason, wasSent, cause } = this;
    return new PostriderTransportError(message, { operation, reason, wasSent, cause }, attempts);
  }
}

/** Reads a problem document; what is not one becomes a failure without an id. */
export function refusalOf(
  body: unknown,
  answer: Pick<Refusal, 'operation' | 'status' | 'requestId' | 'retryAfterMs'> & { readonly otherwise: string },
): PostriderError {
  const { otherwise, ...rest } = answer;
  const problem = isProblem(body) ? body : null;
  return new PostriderError({
    ...rest,
    id: problem?.id ?? null,
    title: problem?.title ?? null,
    detail: problem?.detail ?? otherwise,
    validation: problem?.validation ?? null,
    code: problem?.code ?? null,
  });
}

function isProblem(body: unknown): body is Schemas['Problem'] {
  return typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string' && 'detail' in body;
}
