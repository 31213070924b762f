import type { PassedOverSubscription } from '@postrider/shared/database/queries/load-passed-over-subscriptions';
import { expect, test } from 'vitest';
import { createSkippedSubscriptions } from './skipped-subscriptions.ts';

function given(answers: readonly (readonly PassedOverSubscription[])[]) {
  const state = { clock: 0, loads: 0, returned: 0 };
  const skipped = createSkippedSubscriptions({
    load: () => {
      state.loads += 1;
      return Promise.resolve([...(answers[state.loads - 1] ?? [])]);
    },
    onReturned: () => void (state.returned += 1),
    now: () => state.clock,
  });
  return { skipped, state };
}

function cancelled(subscriptionId: string, asOfMicros: number, cancelledUntil = 'infinity'): PassedOverSubscription {
  return { subscriptionId, cancelledUntil, isPaused: false, asOfMicros };
}

function paused(subscriptionId: string, asOfMicros: number, cancelledUntil = '-infinity'): PassedOverSubscription {
  return { subscriptionId, cancelledUntil, isPaused: true, asOfMicros };
}

test('what a claim passed over is skipped by the next, and looked up again after a second', async () => {
  const { skipped, state } = given([[paused('a', 2_000_000), cancelled('b', 2_000_000)]]);
  expect(await skipped.current()).toEqual({ subscriptionIds: [], cancelledUntil: [], isPaused: [], asOfMicros: null });
  expect(skipped.add([paused('a', 1_000_000)])).toBe(1);
  expect(skipped.add([cancelled('b', 1_500_000), paused('a', 1_500_000)])).toBe(1);
  expect(await skipped.current()).toEqual({
    subscriptionIds: ['b', 'a'],
    cancelledUntil: ['infinity', '-infinity'],
    isPaused: [false, true],
    asOfMicros: 1_500_000,
  });
  expect(state.loads).toBe(0);
  state.clock = 1000;
  expect((await skipped.current()).asOfMicros).toBe(2_000_000);
  expect(state).toMatchObject({ loads: 1, returned: 0 });
});

test.each([
  ['is worked off', cancelled('a', 1_000_000), []],
  ['may be sent in part', cancelled('a', 1_000_000), [cancelled('a', 2_000_000, '2026-01-01 00:00:00+00')]],
  ['was resumed', paused('a', 1_000_000), []],
  ['was resumed and had been disabled', paused('a', 1_000_000, '2026-01-01'), [cancelled('a', 2_000_000, '2026-01-01')]],
])('claims go back to where they passed over a subscription that %s', async (_name, found, answer) => {
  const { skipped, state } = given([answer]);
  skipped.add([found]);
  state.clock = 1000;
  expect((await skipped.current()).subscriptionIds).toHaveLength(answer.length);
  expect(state.returned).toBe(1);
});

test('what was put back into the queue has its subscription looked up at once', async () => {
  const { skipped, state } = given([[paused('b', 2_000_000)], [paused('b', 3_000_000)]]);
  skipped.add([paused('a', 1_000_000), paused('b', 1_000_000)]);
  skipped.expire();
  expect((await skipped.current()).subscriptionIds).toEqual(['b']);
  await skipped.current();
  expect(state).toMatchObject({ loads: 1, returned: 1 });
});

test('a change that a claim meets first is seen by the next look-up', async () => {
  const { skipped, state } = given([[cancelled('a', 2_000_000, '2026-01-01')]]);
  skipped.add([paused('a', 1_000_000, '2026-01-01')]);
  skipped.add([cancelled('a', 1_500_000, '2026-01-01')]);
  state.clock = 1000;
  await skipped.current();
  expect(state.returned).toBe(1);
});

test('no claim compares its rows with more than a hundred, those that were found last', async () => {
  const { skipped } = given([]);
  skipped.add([cancelled('first', 1)]);
  skipped.add(Array.from({ length: 99 }, (_, index) => cancelled(String(index), 1)));
  skipped.add([cancelled('last', 1)]);
  const { subscriptionIds } = await skipped.current();
  expect(subscriptionIds).toHaveLength(100);
  expect(subscriptionIds).toContain('last');
  expect(subscriptionIds).not.toContain('first');
});
