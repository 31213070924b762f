import { expect, test } from 'vitest';
import { refuseRetryPolicy } from './delivery-policy.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const unset = {
  maxFastRetries: null,
  fastDelayMs: null,
  fastMaxDelayMs: null,
  maxSlowRetries: null,
  slowDelayMs: null,
  slowMaxDelayMs: null,
};

test.each([
  ['no retries', { delaysMs: [] }],
  ['30 days in all', { delaysMs: Array.from({ length: 5 }, () => 6 * dayMs) }],
  ['the defaults', unset],
  ['the defaults with fewer retries', { ...unset, maxFastRetries: 3, maxSlowRetries: 0 }],
])('%s is a schedule', (_name, policy) => {
  expect(refuseRetryPolicy(policy)).toBeNull();
});

test.each([
  ['a list of more than 30 days', { delaysMs: [...Array.from({ length: 5 }, () => 6 * dayMs), 1000] }, /30 days/],
  ['phases of more than 30 days', { ...unset, maxSlowRetries: 1000 }, /30 days/],
  ['a fast delay beyond its limit', { ...unset, fastDelayMs: hourMs }, /longer than/],
  ['a slow limit below its default delay', { ...unset, slowMaxDelayMs: 60_000 }, /longer than/],
])('%s is none', (_name, policy, why) => {
  expect(refuseRetryPolicy(policy)).toMatch(why);
});
