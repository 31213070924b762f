import { healthy, type HealthSignal, nextHealth, type SubscriptionHealth } from '@postrider/shared/domain/subscription-health';
import { expect, test } from 'vitest';
import { HealthKeeper } from './health-keeper.ts';
import { createSlots } from './slots.ts';
import { Traffic } from './traffic.ts';

test('a success that comes while failures are being written is written after them', async () => {
  const written: string[] = [];
  let kept: SubscriptionHealth = healthy;
  const context = { nowMs: 0, cap: 4, isRateLimited: false, random: () => 0 };
  const signal = (given: HealthSignal): void => keeper.signal(traffic, given);
  const keeper: HealthKeeper = new HealthKeeper({
    change: async (_traffic, signals) => {
      written.push(signals.map(({ kind }) => kind).join());
      kept = signals.reduce((health, given) => nextHealth(health, given, context), kept);
      const answer = kept;
      if (written.length === 1) {
        signal({ kind: 'succeeded' });
      }
      return answer;
    },
    onParkingChanged: () => undefined,
    wait: () => Promise.resolve(),
    report: { healthFailed: (error) => expect(error).toBeUndefined() },
    random: () => 0,
    now: () => 0,
  });
  const traffic = new Traffic({ slots: createSlots(4), capDefault: 4, signal: () => undefined, now: () => 0 }).of('a');

  Array.from({ length: 5 }, () => signal({ kind: 'failed' }));
  await keeper.settled();
  await keeper.settled();

  expect(written).toEqual(['failed,failed,failed,failed,failed', 'succeeded']);
  expect(kept).toEqual(healthy);
  expect(traffic.health).toEqual(healthy);
});
