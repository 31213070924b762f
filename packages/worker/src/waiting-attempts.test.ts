import type { LoadedEvent } from '@postrider/shared/database/loaded-event-row';
import type { EventReference } from '@postrider/shared/database/queries/load-events';
import { claimBatchMax } from '@postrider/shared/domain/limits';
import { expect, test } from 'vitest';
import type { HeldAttempt } from './attempt.ts';
import { WaitingAttempts } from './waiting-attempts.ts';

const kib = 1024;
const event: LoadedEvent = { payload: Buffer.from('{}'), payloadContentType: 'application/json' };

function heldAttempt(eventId: string, attempt: Partial<HeldAttempt> = {}): HeldAttempt {
  const ids = {
    applicationId: '',
    requestAttemptId: eventId,
    eventId,
    eventReceivedAt: '',
    eventTypeName: '',
    subscriptionId: '',
    leaseId: '',
  };
  const numbers = { payloadBytes: kib, retryCount: 0, claimCount: 1, lagMs: 0, startBeforeMs: 0 };
  return { ...ids, ...numbers, isTest: false, isParked: false, event: null, ...attempt };
}

/** Attempts whose payloads are loaded when the test says so. */
function givenWaiting({ payloadBytesMax = 1024 * kib } = {}) {
  const wanted: (readonly EventReference[])[] = [];
  const loads: number[] = [];
  const answers: (() => void)[] = [];
  let started: string[] = [];
  const waiting = new WaitingAttempts({
    loadEvents(events) {
      wanted.push(events);
      return new Promise((resolve) => answers.push(() => resolve(events.map(() => event))));
    },
    payloadBytesMax,
    pace: { noteLoad: (tookMs) => void loads.push(tookMs) },
    onLoaded() {
      for (let attempt = waiting.next(); attempt; attempt = waiting.next()) {
        started.push(attempt.held.eventId);
      }
    },
    onEventMissing: () => expect.unreachable(),
    onLoadFailed: () => expect.unreachable(),
    now: () => 0,
  });
  return {
    waiting,
    wanted,
    loads,
    async answer() {
      answers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
    takeStarted() {
      const taken = started;
      started = [];
      return taken;
    },
  };
}

test('attempts whose payloads came with the claim start at once, and the others when theirs are loaded', async () => {
  const { waiting, wanted, answer, takeStarted } = givenWaiting();

  waiting.add([heldAttempt('a', { event }), heldAttempt('b'), heldAttempt('c', { event })]);
  expect(takeStarted()).toEqual(['a', 'c']);
  expect(wanted.map((events) => events.map(({ eventId }) => eventId))).toEqual([['b']]);
  waiting.add([heldAttempt('d', { event })]);
  expect(takeStarted()).toEqual(['d']);

  await answer();
  expect(takeStarted()).toEqual(['b']);
  expect(waiting.count()).toBe(0);
});

test('where nothing is left to load, loading costs no time', async () => {
  const { waiting, loads, answer } = givenWaiting();
  waiting.add([heldAttempt('a', { event })]);
  expect(loads).toEqual([0]);
  waiting.add([heldAttempt('b'), heldAttempt('c', { event })]);
  expect(loads).toEqual([0]);
  await answer();
  expect(loads).toEqual([0, 0]);
});

test('the fuller the memory, the smaller the payloads that come with a claim, so that a full one stays below the limit', () => {
  const roomPerAttempt = 20 * kib;
  const payloadBytesMax = roomPerAttempt * claimBatchMax;
  const { waiting } = givenWaiting({ payloadBytesMax });
  expect(waiting.claimedPayloadBytesMax()).toBe(16 * kib);
  const large = heldAttempt('a', { event, payloadBytes: 0.75 * payloadBytesMax });
  waiting.add([large]);
  expect(waiting.claimedPayloadBytesMax()).toBe(5 * kib);
  waiting.add([heldAttempt('b', { event, payloadBytes: 0.25 * payloadBytesMax })]);
  expect(waiting.claimedPayloadBytesMax()).toBe(0);
  waiting.forget({ held: large, event });
  expect(waiting.claimedPayloadBytesMax()).toBe(15 * kib);
});
