import { describe, expect, test } from 'vitest';
import { PostriderError, PostriderTransportError } from '../errors.ts';
import type { ProblemId } from '../types.ts';
import { decideRetry, defaultRetryPolicy } from './retry.ts';

function refusal(status: number, id: ProblemId | null, retryAfterMs: number | null = null): PostriderError {
  const rest = { operation: 'POST /event', title: null, detail: '', validation: null, code: null, requestId: null };
  return new PostriderError({ ...rest, status, id, retryAfterMs });
}

function noAnswer(wasSent: boolean): PostriderTransportError {
  return new PostriderTransportError('', { operation: 'POST /event', reason: 'connection', wasSent, cause: null });
}

function decide(error: unknown, changes: Partial<Parameters<typeof decideRetry>[0]> = {}, chance = 1): number | null {
  return decideRetry({ error, attempts: 1, elapsedMs: 0, isRepeatable: true, ...changes }, defaultRetryPolicy, () => chance);
}

describe('what is tried again', () => {
  test.each([
    ['no answer', noAnswer(true), true, false],
    ['no connection', noAnswer(false), true, true],
    ['500', refusal(500, 'InternalServerError'), true, false],
    ['503', refusal(503, 'ServiceUnavailable'), true, false],
    ["502 of a proxy's", refusal(502, null), true, false],
    ['a rate limit', refusal(429, 'RateLimited'), true, true],
    ["a proxy's rate limit", refusal(429, null), true, true],
    ['a quota', refusal(429, 'TooManyEventsToday'), false, false],
    ['a conflict', refusal(409, 'EventAlreadyIngested'), false, false],
    ['a forbidden call', refusal(403, 'Forbidden'), false, false],
    ['a bug of ours', new TypeError('x is not a function'), false, false],
  ])('%s', (_name, error, whenRepeatable, whenNot) => {
    expect(decide(error) !== null).toBe(whenRepeatable);
    expect(decide(error, { isRepeatable: false }) !== null).toBe(whenNot);
  });
});

describe('how long it waits', () => {
  test('doubles up to the most, half of it by chance', () => {
    const waits = [1, 2, 3, 4].map((attempts) => [0, 1].map((chance) => decide(noAnswer(true), { attempts }, chance)));
    expect(waits).toEqual([
      [125, 250],
      [250, 500],
      [500, 1000],
      [1000, 2000],
    ]);
    const policy = { ...defaultRetryPolicy, attemptsMax: 100 };
    expect(decideRetry({ error: noAnswer(true), attempts: 40, elapsedMs: 0, isRepeatable: true }, policy, () => 1)).toBe(10_000);
  });

  test('what the API asks for is a least', () => {
    expect(decide(refusal(503, 'ServiceUnavailable', 5000), {}, 0)).toBe(5125);
  });
});

test('ends after the last try, and where the wait would outlast the time', () => {
  expect(decide(noAnswer(true), { attempts: 5 })).toBeNull();
  expect(decide(noAnswer(true), { elapsedMs: 59_700 })).toBe(250);
  expect(decide(noAnswer(true), { elapsedMs: 59_750 })).toBeNull();
  expect(decide(refusal(429, 'RateLimited', 3_600_000))).toBeNull();
});
