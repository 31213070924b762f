import { DatabaseError } from 'pg';

/** SQLSTATE codes that we decide by: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const codes = {
  uniqueViolation: '23505',
  foreignKeyViolation: '23503',
  checkViolation: '23514',
  deadlockDetected: '40P01',
  serializationFailure: '40001',
  lockNotAvailable: '55P03',
} as const;

/** A row with this key is there already; names the violated constraint or unique index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return hasCode(error, codes.uniqueViolation) && error.constraint === constraint;
}

/** A row that no partition takes. PostgreSQL reports it as a check violation without naming a constraint. */
export function isMissingPartition(error: unknown): boolean {
  return hasCode(error, codes.checkViolation) && error.constraint === undefined;
}

/** Two transactions stood in each other's way: the same statement will pass when it is tried again. */
export function isTransient(error: unknown): boolean {
  return hasCode(error, codes.deadlockDetected) || hasCode(error, codes.serializationFailure) || hasCode(error, codes.lockNotAvailable);
}

/**
 * The values themselves are refused, whenever they are sent: data exceptions (class 22), broken constraints (23), limits exceeded (54),
 * and what could not even be encoded.
 */
export function isRefusedData(error: unknown): boolean {
  return error instanceof DatabaseError ? /^(22|23|54)/.test(error.code ?? '') : error instanceof RangeError;
}

/**
 * The database is away rather than unwilling: connections refused, reset, timed out, or ended by a shutdown. Whether the statement was
 * carried out is then unknown.
 */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof DatabaseError) {
    // Class 08 connection exceptions, class 57P shutdown, crash, not yet accepting; 53300 too many connections.
    return /^(08|57P|53300)/.test(error.code ?? '');
  }
  if (!(error instanceof Error)) {
    return false;
  }
  if ('code' in error && typeof error.code === 'string') {
    return /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/.test(error.code);
  }
  return /connection terminated|connection ended|timeout exceeded when trying to connect|client was closed|not queryable|query read timeout/i.test(
    error.message,
  );
}

function hasCode(error: unknown, code: string): error is DatabaseError {
  return error instanceof DatabaseError && error.code === code;
}
