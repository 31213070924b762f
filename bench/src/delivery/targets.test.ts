import { describe, expect, test } from 'vitest';
import type { Measurement } from './measurement.ts';
import { checkTargets, ratios } from './targets.ts';

function measured(perSecond: number, overrides: Partial<Measurement> = {}): Measurement {
  return {
    perSecond,
    senderCpuMicros: 80,
    databaseCpuMicros: 40,
    receiverCpuMicros: 15,
    walBytes: 1000,
    peakMemoryMiB: 100,
    connections: 4,
    othersCpuShare: 0,
    ...overrides,
  };
}

describe('targets', () => {
  test('compare the rounds one by one, and their median decides', () => {
    const results = {
      bare: [measured(10_000), measured(20_000), measured(10_000)],
      worker: [measured(7000), measured(12_000), measured(6600)],
    };

    expect(ratios(results, 'worker', 'bare')).toEqual([0.7, 0.6, 0.66]);
    expect(checkTargets(results, { concurrent: 100, delayMs: 0 })).toContainEqual({
      what: 'rate, of bare undici',
      atLeast: 0.65,
      measured: 0.66,
      met: true,
    });
  });

  test('say what was missed', () => {
    const results = { bare: [measured(10_000, { senderCpuMicros: 40 })], worker: [measured(6400, { walBytes: 1201, connections: 5 })] };
    const missed = checkTargets(results, { concurrent: 100, delayMs: 0 }).filter(({ met }) => !met);

    expect(missed.map(({ what }) => what)).toEqual([
      'rate, of bare undici',
      'connections to the database',
      'CPU of the worker, of bare undici',
      'WAL, bytes',
    ]);
  });

  test('leave out what has nothing to compare with', () => {
    const results = { worker: [measured(6400)], 'pg-boss': [measured(3200)] };
    const checked = checkTargets(results, { concurrent: 50, delayMs: 0 });

    expect(checked.map(({ what }) => what)).toEqual([
      'connections to the database',
      'rate, of pg-boss',
      'CPU of the database, us',
      'WAL, bytes',
    ]);
  });

  test('of slow receivers are about slots alone', () => {
    const results = { bare: [measured(15_000)], worker: [measured(6000)] };

    expect(checkTargets(results, { concurrent: 1000, delayMs: 50 })).toEqual([
      { what: 'rate, of bare undici', atLeast: 0.35, measured: 0.4, met: true },
      { what: 'connections to the database', atMost: 4, measured: 4, met: true },
    ]);
  });
});
