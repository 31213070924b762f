import { ProblemError, type ProblemId } from '../problems.ts';

/** Nothing but a deletion or a higher quota helps, and both take people. */
const retryAfterSeconds = 3600;

type TooMany = Extract<ProblemId, `TooMany${string}`>;

/** The refusal to make one more of something. */
export function tooMany(id: Exclude<TooMany, 'TooManyEventsToday'>, limit: number): ProblemError {
  return new ProblemError(id, {
    detail: `The quota allows ${limit}, and there are as many. Delete what is not used, or ask for a higher quota.`,
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}

/** The refusal of an event, until the day ends. */
export function tooManyEventsToday(endsInMs: number): ProblemError {
  return new ProblemError('TooManyEventsToday', { headers: { 'Retry-After': String(Math.max(1, Math.ceil(endsInMs / 1000))) } });
}
