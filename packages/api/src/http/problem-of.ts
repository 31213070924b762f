import { isConnectionFailure } from '@postrider/shared/database/postgres-errors';
import { ProblemError } from '../problems.ts';
import { IngestionOverloadedError } from '../services/ingest-pressure.ts';
import { invalidField } from './parse.ts';

/** Seconds after which a client should come back when the database is away. */
const retryAfterSeconds = 5;

/** The problem that a failure is to the client. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) {
    return error;
  }
  if (error instanceof IngestionOverloadedError || isConnectionFailure(error)) {
    return new ProblemError('ServiceUnavailable', { headers: { 'Retry-After': String(retryAfterSeconds) }, cause: error });
  }
  // Express decodes path parameters itself.
  if (error instanceof URIError) {
    return invalidField('path', { code: 'encoding', message: 'the path has percent signs that encode nothing' });
  }
  return new ProblemError('InternalServerError', { cause: error });
}
