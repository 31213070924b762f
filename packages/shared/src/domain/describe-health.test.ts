import { expect, test } from 'vitest';
import { type SubscriptionFacts, describeSubscription } from './describe-health.ts';

const holdUntil = new Date('2026-01-01T00:10:00Z');
const active: SubscriptionFacts = { isDisabled: false, disabledReason: null, heldBy: null, holdUntil: null, failures: 0 };

test.each<[name: string, facts: Partial<SubscriptionFacts>, status: string, why: string]>([
  ['is delivered to', {}, 'active', 'null'],
  ['fails now and then', { failures: 3 }, 'active', 'null'],
  ['was disabled', { isDisabled: true, disabledReason: 'by_request' }, 'disabled', 'by request'],
  ['met 410', { isDisabled: true, disabledReason: 'gone' }, 'disabled', '410 Gone'],
  ['failed for days', { isDisabled: true, disabledReason: 'failing' }, 'disabled', 'nothing but fail'],
  ['was disabled for a reason of a later version', { isDisabled: true, disabledReason: 'x' }, 'disabled', 'was disabled.'],
  ['was disabled on hold', { isDisabled: true, disabledReason: 'gone', heldBy: 'failing', holdUntil }, 'disabled', '410 Gone'],
  ['was disabled while paused', { isDisabled: true, disabledReason: 'by_request', heldBy: 'paused' }, 'disabled', 'by request'],
  ['is paused', { heldBy: 'paused' }, 'paused', 'kept until it is resumed'],
  ['asked for a pause', { heldBy: 'retry_after', holdUntil }, 'held', 'asked for a pause, until 2026-01-01T00:10:00.000Z.'],
  ['refuses', { heldBy: 'throttled', holdUntil }, 'held', '429 or 503 again and again; the next probe is at 2026-01-01T00:10'],
  ['fails', { heldBy: 'failing', holdUntil, failures: 10 }, 'held', 'failed 10 times in a row; the next probe is at 2026-01-01T00:10'],
  ['fails after it refused', { heldBy: 'failing', holdUntil, failures: 1 }, 'held', 'The receiver failed; the next probe'],
  ['answered what was under way when its hold began', { heldBy: 'failing', holdUntil }, 'held', 'The receiver failed; the next probe'],
  ['got a rate while on hold', { heldBy: 'rate', holdUntil }, 'held', 'on hold; the next probe'],
  ['asked for a pause that is over', { heldBy: 'retry_after' }, 'recovering', 'asked for a pause; it gets one request at a time'],
  ['refused', { heldBy: 'throttled' }, 'recovering', 'again and again; it gets one request at a time'],
  ['failed', { heldBy: 'failing', failures: 12 }, 'recovering', 'failed 12 times in a row; it gets one request at a time'],
  ['has a rate', { heldBy: 'rate' }, 'limited', 'rate limit'],
  ['has more than it may get at once', { heldBy: 'over_cap' }, 'limited', 'than the receiver gets at once'],
  ['is slow', { heldBy: 'slow' }, 'limited', 'far slower'],
])('a subscription that %s says so', (_name, facts, status, why) => {
  const told = describeSubscription({ ...active, ...facts });
  expect(told).toMatchObject({ status, holdUntil: status === 'held' ? holdUntil : null });
  expect(String(told.why)).toContain(why);
});
