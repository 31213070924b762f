import { healthy, type HealthSignal } from '@postrider/shared/domain/subscription-health';
import { afterEach, expect, test, vi } from 'vitest';
import type { LoadedAttempt } from './attempt.ts';
import { createSlots } from './slots.ts';
import { Traffic } from './traffic.ts';

afterEach(() => vi.useRealTimers());

const normal = { isTest: false, isParked: false, event: null };

function attemptOf(subscriptionId: string, requestAttemptId = ''): LoadedAttempt {
  const ids = { applicationId: '', requestAttemptId, eventId: '', eventReceivedAt: '', eventTypeName: '', subscriptionId, leaseId: '' };
  return {
    held: { ...ids, ...normal, payloadBytes: 0, retryCount: 0, claimCount: 1, lagMs: 0, startBeforeMs: 0 },
    event: { payload: Buffer.alloc(0), payloadContentType: '' },
  };
}

function givenTraffic({ slotsTotal = 16, capDefault = 4 } = {}) {
  const clock = { nowMs: 0 };
  const slots = createSlots(slotsTotal);
  const signals: [string, HealthSignal][] = [];
  const traffic = new Traffic({
    slots,
    capDefault,
    signal: (of, signal) => {
      signals.push([of.subscriptionId, signal]);
      of.health = { ...healthy, parkReason: 'over_cap' };
    },
    now: () => clock.nowMs,
  });
  function start(subscriptionId: string): void {
    slots.take();
    traffic.started(traffic.of(subscriptionId));
  }
  function answer(subscriptionId: string, elapsedMs: number): void {
    start(subscriptionId);
    slots.giveBack();
    traffic.ended(traffic.of(subscriptionId), elapsedMs);
  }
  return { clock, slots, signals, traffic, start, answer };
}

test('a receiver that answers may have its cap in flight, and one that has not yet a quarter of it', () => {
  const { traffic, start, answer } = givenTraffic();
  expect(traffic.admit(traffic.of('a'), normal)).toBe('start');
  start('a');
  expect(traffic.admit(traffic.of('a'), normal)).toBe('defer');
  answer('b', 100);
  ['b', 'b', 'b'].forEach(start);
  expect(traffic.admit(traffic.of('b'), normal)).toBe('start');
  start('b');
  expect(traffic.admit(traffic.of('b'), normal)).toBe('defer');
});

test('a quarter of the slots is for receivers that answered lately, and half of it for the first request of one that was not heard of', () => {
  const { clock, traffic, start, answer } = givenTraffic();
  answer('proven', 100);
  traffic.of('hanging').isHanging = true;
  for (let index = 0; index < 14; index += 1) {
    expect(traffic.admit(traffic.of('hanging'), normal)).toBe(index <= 12 ? 'start' : 'defer');
    expect(traffic.admit(traffic.of(`new-${index}`), normal)).toBe('start');
    start(`new-${index}`);
  }
  start('new-14');
  expect(traffic.admit(traffic.of('new-15'), normal)).toBe('defer');
  expect(traffic.admit(traffic.of('proven'), normal)).toBe('start');
  clock.nowMs += 60_000;
  expect(traffic.admit(traffic.of('proven'), normal)).toBe('defer');
});

test('samples start whatever their receiver does, and parked attempts unless it is on hold', () => {
  const { traffic } = givenTraffic();
  const held = traffic.of('a');
  held.health = { ...healthy, parkReason: 'failing', holdUntilMs: 1000 };
  expect(traffic.admit(held, { isTest: true, isParked: false })).toBe('start');
  expect(traffic.admit(held, { isTest: false, isParked: true })).toBe('park');
  expect(traffic.admit(held, normal)).toBe('park');
  held.health = { ...held.health, holdUntilMs: 0 };
  expect(traffic.admit(held, { isTest: false, isParked: true })).toBe('start');
  expect(traffic.admit(held, normal)).toBe('park');
});

test('a subscription with a rate is parked with its first attempt', () => {
  const { signals, traffic } = givenTraffic();
  const rated = traffic.of('a');
  traffic.setPolicy(rated, { inFlightMax: null, rate: { requests: 10, periodMs: 1000 } });
  expect(traffic.admit(rated, normal)).toBe('park');
  expect(signals).toEqual([['a', { kind: 'rate_limited' }]]);
});

test('a policy lowers the cap, and no policy asks for more than there are slots', () => {
  const { traffic } = givenTraffic();
  const some = traffic.of('a');
  traffic.setPolicy(some, { inFlightMax: 2, rate: null });
  expect(some.cap).toBe(2);
  traffic.setPolicy(some, { inFlightMax: 1000, rate: null });
  expect(some.cap).toBe(16);
  traffic.setPolicy(some, { inFlightMax: null, rate: null });
  expect(some.cap).toBe(4);
});

test('attempts behind their caps take turns when there is room', () => {
  const { traffic } = givenTraffic();
  ['a1', 'a2', 'b1'].forEach((id) => traffic.defer(traffic.of(id.slice(0, 1)), attemptOf(id.slice(0, 1), id)));
  const order = [1, 2, 3, 4].map(() => traffic.nextDeferred()?.held.requestAttemptId);
  expect(order).toEqual(['a1', 'b1', 'a2', undefined]);
});

test('more than a burst behind a cap parks the subscription, and what waited leaves', () => {
  const { clock, signals, traffic, start, answer } = givenTraffic();
  answer('a', 100);
  ['a', 'a', 'a', 'a'].forEach(start);
  for (let index = 0; index < 60; index += 1) {
    traffic.defer(traffic.of('a'), attemptOf('a'));
  }
  // However many they are, its first answers may be on their way.
  expect(signals).toEqual([]);
  expect(traffic.nextDeferred()).toBeUndefined();
  clock.nowMs += 251;
  traffic.defer(traffic.of('a'), attemptOf('a'));
  expect(signals).toEqual([['a', { kind: 'overloaded', reason: 'over_cap', isUnproven: false }]]);
  expect(traffic.nextDeferred()).toBeDefined();
  expect(traffic.removeDeferred(() => true)).toHaveLength(60);
  expect(traffic.deferredCount()).toBe(0);
});

test('a burst that has become a backlog parks the subscription, also when the worker has no room for more of it', () => {
  vi.useFakeTimers();
  const { clock, signals, traffic, start } = givenTraffic();
  start('a');
  for (let index = 0; index < 60; index += 1) {
    traffic.defer(traffic.of('a'), attemptOf('a'));
  }
  clock.nowMs = 251;
  vi.advanceTimersByTime(251);
  expect(signals).toEqual([['a', { kind: 'overloaded', reason: 'over_cap', isUnproven: true }]]);
});

test('what waits behind its cap for more than a second is parked', () => {
  const { clock, signals, traffic, start } = givenTraffic();
  start('a');
  traffic.defer(traffic.of('a'), attemptOf('a'));
  clock.nowMs = 1000;
  traffic.look([]);
  expect(signals).toEqual([]);
  clock.nowMs = 1001;
  traffic.look([]);
  expect(signals).toEqual([['a', { kind: 'overloaded', reason: 'over_cap', isUnproven: true }]]);
});

test('a subscription that may have all of the slots is parked when it does not answer for a second, and not for what waits otherwise', () => {
  const { clock, signals, traffic, start, answer } = givenTraffic({ capDefault: 16 });
  ['answers late', 'hangs'].forEach((id) => {
    start(id);
    for (let index = 0; index < 200; index += 1) {
      traffic.defer(traffic.of(id), attemptOf(id));
    }
  });
  clock.nowMs = 900;
  ['answers late', 'hangs'].forEach((id) => traffic.defer(traffic.of(id), attemptOf(id)));
  answer('answers late', 900);
  clock.nowMs = 1001;
  traffic.look([]);
  expect(signals).toEqual([['hangs', { kind: 'overloaded', reason: 'over_cap', isUnproven: true }]]);
});

test('two requests that hang say that a receiver is slow, one does not, and neither do they where all are slow', () => {
  const { clock, signals, traffic, answer } = givenTraffic();
  for (let index = 0; index < 8; index += 1) {
    answer('quick', 100);
  }
  clock.nowMs = 3000;
  traffic.look([
    [attemptOf('a'), 0],
    [attemptOf('b'), 2500],
  ]);
  expect(signals).toEqual([]);
  expect(traffic.of('a').isHanging).toBe(true);
  expect(traffic.of('b').isHanging).toBe(false);
  traffic.look([
    [attemptOf('a'), 0],
    [attemptOf('a'), 10],
  ]);
  expect(signals).toEqual([['a', { kind: 'overloaded', reason: 'slow' }]]);

  const allSlow = givenTraffic();
  for (let index = 0; index < 8; index += 1) {
    allSlow.answer('quick', 1000);
  }
  allSlow.clock.nowMs = 3000;
  allSlow.traffic.look([
    [attemptOf('a'), 0],
    [attemptOf('a'), 10],
  ]);
  expect(allSlow.signals).toEqual([]);
});

test('forgets what was not used for a minute, unless something of it is here', () => {
  const { clock, traffic, start } = givenTraffic();
  traffic.of('idle');
  start('busy');
  clock.nowMs = 60_001;
  traffic.look([]);
  expect([...traffic.all()].map(({ subscriptionId }) => subscriptionId)).toEqual(['busy']);
});
