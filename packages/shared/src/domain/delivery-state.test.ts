import { expect, test } from 'vitest';
import { type DeliveryFacts, describeDelivery, type PlannedAttempt } from './delivery-state.ts';

const dueAt = new Date('2026-01-01T00:00:00Z');
const live = { isDeleted: false, isDisabled: false, disabledReason: null };
const planned: PlannedAttempt = { retryCount: 3, dueAt, isDue: false, isLeased: false, hold: null, isCancelled: false };
const paused = { status: 'paused', holdUntil: null, why: 'It is paused.' } as const;
const heldUntil = (holdUntil: string) => ({ status: 'held', holdUntil: new Date(holdUntil), why: 'It failed.' }) as const;
const limited = { status: 'limited', holdUntil: null, why: 'It is slow.' } as const;
const recovering = { ...limited, status: 'recovering' } as const;
const failed = (reason: string | null) => ({ retryCount: 2, succeeded: false, reason });
const nothing: DeliveryFacts = { planned: null, last: null, subscription: live, retriesMax: 60 };

test.each<[name: string, facts: Partial<DeliveryFacts>, state: string, reason: string | null, explanation: string]>([
  ['matches since', {}, 'not_planned', null, 'a replay delivers it'],
  ['waits', { planned }, 'waiting', null, 'retry 3 of 60'],
  ['waits and nobody says how often', { planned, retriesMax: null }, 'waiting', null, 'retry 3.'],
  ['waits for more than the workers of today make', { planned, retriesMax: 2 }, 'waiting', null, 'retry 3 of 3'],
  ['is due', { planned: { ...planned, retryCount: 0, isDue: true } }, 'pending', null, 'the first attempt'],
  ['is being made', { planned: { ...planned, isLeased: true, hold: paused } }, 'in_progress', null, 'retry 3'],
  ['is being made though cancelled', { planned: { ...planned, isLeased: true, isCancelled: true } }, 'in_progress', null, 'retry 3'],
  ['is paused', { planned: { ...planned, hold: paused } }, 'paused', null, 'It is paused. Next is retry 3 of 60.'],
  ['is held', { planned: { ...planned, hold: heldUntil('2026-01-01T00:00:01Z') } }, 'held', null, 'It failed. Next is retry 3 of 60.'],
  ['waits for longer than a hold', { planned: { ...planned, hold: heldUntil('2025-12-31T23:59:59Z') } }, 'waiting', null, 'retry 3 of 60'],
  ['is limited', { planned: { ...planned, isDue: true, hold: limited } }, 'limited', null, 'It is slow. Next is retry 3 of 60.'],
  [
    'is sent as its receiver recovers',
    { planned: { ...planned, isDue: true, hold: recovering } },
    'limited',
    null,
    'Next is retry 3 of 60.',
  ],
  ['waits and will be limited', { planned: { ...planned, hold: limited } }, 'waiting', null, 'Waiting for retry 3 of 60.'],
  [
    'waits for a deleted subscription',
    { planned: { ...planned, isCancelled: true }, subscription: { ...live, isDeleted: true } },
    'cancelled',
    'subscription_deleted',
    'deleted',
  ],
  ['succeeded', { last: { retryCount: 0, succeeded: true, reason: null } }, 'successful', null, 'first attempt'],
  ['succeeded late', { last: { retryCount: 4, succeeded: true, reason: null } }, 'successful', null, 'retry 4'],
  ['is replayed after a failure', { planned, last: failed('retries_exhausted') }, 'waiting', null, 'retry 3'],
  ['used up its retries', { last: failed('retries_exhausted') }, 'failed', 'retries_exhausted', 'Every retry failed'],
  ['met 410', { last: failed('gone') }, 'failed', 'gone', '410'],
  ['cannot be sent', { last: failed('invalid_header') }, 'failed', 'invalid_header', 'characters'],
  ['killed its workers', { last: failed('claims_exhausted') }, 'failed', 'claims_exhausted', 'workers died'],
  ['failed for a reason of a later version', { last: failed('something') }, 'failed', 'other', 'not tried again'],
  ['was cancelled', { last: failed('cancelled') }, 'cancelled', 'cancelled', 'Cancelled'],
  [
    'was cancelled by 410 for another event',
    { last: failed('cancelled'), subscription: { ...live, isDisabled: true, disabledReason: 'gone' } },
    'cancelled',
    'gone',
    '410',
  ],
  [
    'was cancelled by request',
    { last: failed('cancelled'), subscription: { ...live, isDisabled: true, disabledReason: 'by_request' } },
    'cancelled',
    'subscription_disabled',
    'disabled',
  ],
])('a delivery that %s is told apart', (_name, facts, state, reason, explanation) => {
  const description = describeDelivery({ ...nothing, ...facts });
  expect(description).toMatchObject({ state, reason, explanation: expect.stringContaining(explanation) });
  const hasNext = ['waiting', 'pending', 'in_progress', 'limited'].includes(state);
  expect(description.nextAttemptAt).toEqual(state === 'held' ? new Date('2026-01-01T00:00:01Z') : hasNext ? dueAt : null);
});
