import { describe, expect, test } from 'vitest';
import { decideNextStep } from './next-step.ts';
import type { DeliveryOutcome } from './outcome.ts';
import { defaultRetrySchedule } from './retry-schedule.ts';

function response(httpCode: number, retryAfterMs: number | null = null): DeliveryOutcome {
  return { kind: 'response', elapsedMs: 1, retryAfterMs, response: { httpCode, headers: {}, body: Buffer.alloc(0), bodyTruncated: false } };
}

function error(errorName: 'E_TIMEOUT' | 'E_INVALID_HEADER' | 'E_INVALID_TARGET' | 'E_DNS' | 'E_CONNECTION' | 'E_UNKNOWN'): DeliveryOutcome {
  return { kind: 'error', errorName, message: '', elapsedMs: 1, response: null };
}

function decide(outcome: DeliveryOutcome, retryCount = 0) {
  return decideNextStep({ outcome, retryCount, isTest: false, schedule: defaultRetrySchedule, random: () => 0 });
}

test.each([response(500), response(410), response(429), error('E_TIMEOUT'), error('E_INVALID_HEADER')])(
  'a sample is sent once, and nothing follows its failure (%o)',
  (outcome) => {
    const decision = { outcome, retryCount: 0, isTest: true, schedule: defaultRetrySchedule, random: () => 0 };
    expect(decideNextStep(decision)).toEqual({ kind: 'give_up', reason: 'test' });
    expect(decideNextStep({ ...decision, outcome: response(200) })).toEqual({ kind: 'succeed' });
    expect(decideNextStep({ ...decision, outcome: { kind: 'own_fault', message: '', elapsedMs: 1 } }).kind).toBe('retry_uncounted');
  },
);

test.each([200, 201, 204, 299])('%d succeeds', (httpCode) => {
  expect(decide(response(httpCode))).toEqual({ kind: 'succeed' });
});

test.each([199, 301, 302, 304, 307, 400, 401, 404, 409, 429, 500, 503])('%d is retried', (httpCode) => {
  expect(decide(response(httpCode))).toEqual({ kind: 'retry', delayMs: 5000 });
});

test.each(['E_TIMEOUT', 'E_INVALID_TARGET', 'E_DNS', 'E_CONNECTION', 'E_UNKNOWN'] as const)('%s is retried', (errorName) => {
  expect(decide(error(errorName), 1)).toEqual({ kind: 'retry', delayMs: 10_000 });
});

test('an unbuildable header is not tried again', () => {
  expect(decide(error('E_INVALID_HEADER'))).toEqual({ kind: 'give_up', reason: 'invalid_header' });
});

test('410 ends it', () => {
  expect(decide(response(410))).toEqual({ kind: 'give_up', reason: 'gone' });
});

test('gives up after the last retry', () => {
  expect(decide(response(500), 59)).toEqual({ kind: 'retry', delayMs: 4 * 3_600_000 });
  expect(decide(response(500), 60)).toEqual({ kind: 'give_up', reason: 'retries_exhausted' });
});

test('a fault on our side does not use up a retry, not even the last one', () => {
  const fault: DeliveryOutcome = { kind: 'own_fault', message: 'no sockets', elapsedMs: 1 };
  expect(decide(fault, 60)).toEqual({ kind: 'retry_uncounted', delayMs: 5000 });
});

describe('Retry-After', () => {
  test.each([429, 503])('lengthens the delay after %d', (httpCode) => {
    expect(decide(response(httpCode, 120_000))).toEqual({ kind: 'retry', delayMs: 120_000 });
  });
  test('never shortens it', () => {
    expect(decide(response(503, 1000))).toEqual({ kind: 'retry', delayMs: 5000 });
  });
  test('counts for nothing after another status', () => {
    expect(decide(response(500, 120_000))).toEqual({ kind: 'retry', delayMs: 5000 });
  });
  test('is honoured up to ten hours', () => {
    expect(decide(response(429, 86_400_000))).toEqual({ kind: 'retry', delayMs: 36_000_000 });
  });
  test('makes no retry when none is left', () => {
    expect(decide(response(429, 1000), 60)).toEqual({ kind: 'give_up', reason: 'retries_exhausted' });
  });
});
