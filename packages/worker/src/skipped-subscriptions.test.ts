import type { CancelledSubscription } from '@postrider/shared/database/queries/load-cancelled-subscriptions';
import { expect, test } from 'vitest';
import { createSkippedSubscriptions } from './skipped-subscriptions.ts';

function given(answers: readonly (readonly CancelledSubscription[])[]) {
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

function cancelled(subscriptionId: string, asOfMicros: number, madeUntil = 'infinity'): CancelledSubscription {
  return { subscriptionId, madeUntil, asOfMicros };
}

test('what a claim found cancelled is left alone by the next, and looked up again after a second', async () => {
  const { skipped, state } = given([[cancelled('a', 2_000_000), cancelled('b', 2_000_000)]]);
  expect(await skipped.current()).toEqual({ subscriptionIds: [], madeUntil: [], asOfMicros: null });
  skipped.add([cancelled('a', 1_000_000)]);
  skipped.add([cancelled('b', 1_500_000)]);
  expect(await skipped.current()).toEqual({ subscriptionIds: ['a', 'b'], madeUntil: ['infinity', 'infinity'], asOfMicros: 1_500_000 });
  expect(state.loads).toBe(0);
  state.clock = 1000;
  expect((await skipped.current()).asOfMicros).toBe(2_000_000);
  expect(state).toMatchObject({ loads: 1, returned: 0 });
});

test.each([
  ['is worked off', []],
  ['may be sent in part', [cancelled('a', 2_000_000, '2026-01-01 00:00:00+00')]],
])('claims go back to where they passed over a subscription that %s', async (_name, answer) => {
  const { skipped, state } = given([answer]);
  skipped.add([cancelled('a', 1_000_000)]);
  state.clock = 1000;
  expect((await skipped.current()).subscriptionIds).toHaveLength(answer.length);
  expect(state.returned).toBe(1);
});

test('no claim compares its rows with more than a hundred', async () => {
  const { skipped } = given([]);
  skipped.add(Array.from({ length: 150 }, (_, index) => cancelled(String(index), 1)));
  expect((await skipped.current()).subscriptionIds).toHaveLength(100);
});
