/** What can go wrong, by the ids that clients know: a closed set. Statuses and ids are part of the contract. */
export const problems = {
  EventTypeDoesNotExist: {
    status: 400,
    title: 'Unknown event type',
    detail: 'The event type does not exist or is deactivated. Create it first.',
  },
  UnauthorizedWorkers: {
    status: 400,
    title: 'Workers not allowed',
    detail: 'A dedicated worker does not exist or is not assigned to this organization.',
  },
  EventInvalidPayloadContentType: {
    status: 400,
    title: 'Unknown payload content type',
    detail: 'payload_content_type must be text/plain, application/json or application/octet-stream+base64.',
  },
  EventInvalidBase64Payload: {
    status: 400,
    title: 'Payload is not base64',
    detail: 'A payload of application/octet-stream+base64 must be valid base64.',
  },
  EventInvalidJsonPayload: { status: 400, title: 'Payload is not JSON', detail: 'A payload of application/json must be valid JSON.' },
  LabelsAmbiguity: { status: 400, title: 'Labels are ambiguous', detail: 'Give labels, or both label_key and label_value.' },
  InvalidDateRange: { status: 400, title: 'Invalid date range', detail: 'The start of the range must not be after its end.' },
  AuthInvalidAuthorizationHeader: {
    status: 400,
    title: 'Unreadable Authorization header',
    detail: 'The Authorization header has bytes that are not text.',
  },
  JsonPayload: { status: 400, title: 'Unreadable request body', detail: 'The request body is not the JSON that is expected here.' },
  OrganizationNameMissing: { status: 400, title: 'Organization name is missing', detail: 'An organization needs a name.' },
  ApplicationNameMissing: { status: 400, title: 'Application name is missing', detail: 'An application needs a name.' },
  InvalidRole: { status: 400, title: 'Invalid role', detail: 'The role must be editor or viewer.' },
  AuthNoAuthorizationHeader: { status: 401, title: 'No Authorization header', detail: 'Send a token: Authorization: Bearer <token>.' },
  AuthInvalidBiscuit: { status: 403, title: 'Invalid token', detail: 'The token is unknown, expired or revoked.' },
  AuthInvalidApplicationSecret: {
    status: 403,
    title: 'Invalid application secret',
    detail: 'The application secret is unknown or was deleted.',
  },
  Forbidden: { status: 403, title: 'Forbidden', detail: 'This token may not do that, or the application does not exist.' },
  NotFound: { status: 404, title: 'Not found', detail: 'There is nothing here.' },
  EventAlreadyIngested: {
    status: 409,
    title: 'Event already ingested',
    detail: 'An event with this event_id and the same content was ingested before.',
  },
  EventTypeAlreadyExist: { status: 409, title: 'Event type already exists', detail: 'This event type exists already.' },
  OrganizationIsNotEmpty: { status: 409, title: 'Organization is not empty', detail: 'Delete its applications first.' },
  RegistrationDisabled: { status: 410, title: 'Registration is disabled', detail: 'Organizations are made with the master key.' },
  Validation: { status: 422, title: 'Invalid values', detail: 'Some values are out of bounds; validation names them.' },
  RateLimited: { status: 429, title: 'Too many requests', detail: 'Slow down and try again after Retry-After seconds.' },
  TooManyApplicationsPerOrganization: {
    status: 429,
    title: 'Too many applications',
    detail: 'The organization has as many applications as its quota allows.',
  },
  TooManyEventsToday: { status: 429, title: 'Too many events today', detail: 'The quota of events for today is used up.' },
  TooManySubscriptionsPerApplication: {
    status: 429,
    title: 'Too many subscriptions',
    detail: 'The application has as many subscriptions as its quota allows.',
  },
  TooManyEventTypesPerApplication: {
    status: 429,
    title: 'Too many event types',
    detail: 'The application has as many event types as its quota allows.',
  },
  InternalServerError: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong on our side. X-Request-Id finds it in the logs.',
  },
  ServiceUnavailable: {
    status: 503,
    title: 'Not available now',
    detail: 'The database cannot be reached or has too much to do. Try again.',
  },
} as const;

export type ProblemId = keyof typeof problems;

export function isProblemId(id: unknown): id is ProblemId {
  return typeof id === 'string' && Object.hasOwn(problems, id);
}

/** What is wrong with a field: a code, words, and the bounds that apply. */
export interface FieldProblem {
  readonly code: string;
  readonly message: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface ProblemOptions {
  /** What is wrong this time; the catalogue's words otherwise. */
  readonly detail?: string;
  /** Where it differs from the catalogue's: 404, 405, 413, 415 share ids with others. */
  readonly status?: number;
  readonly validation?: Readonly<Record<string, readonly FieldProblem[]>>;
  /** A finer name of ours, where one id stands for several failures. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is a problem document (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly id: ProblemId;
  readonly options: ProblemOptions;

  constructor(id: ProblemId, options: ProblemOptions = {}) {
    super(options.detail ?? problems[id].detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.id = id;
    this.options = options;
  }

  get status(): number {
    return this.options.status ?? problems[this.id].status;
  }
}

/** The document of a problem; `baseUrl` is where its explanation is served. */
export function problemDocument(
  error: ProblemError,
  request: { readonly baseUrl: string; readonly instance: string | null },
): Record<string, unknown> {
  const { id, options } = error;
  return {
    type: problemTypeUrl(request.baseUrl, id),
    title: problems[id].title,
    status: error.status,
    detail: options.detail ?? problems[id].detail,
    id,
    validation: options.validation ?? null,
    instance: request.instance,
    ...(options.code === undefined ? {} : { code: options.code }),
  };
}

export function problemTypeUrl(baseUrl: string, id: ProblemId): string {
  return `${baseUrl}/api/v1/errors/${id}`;
}
