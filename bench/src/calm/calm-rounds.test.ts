import { expect, test } from 'vitest';
import { type CalmKind, describeSorted, measureUntilCalm, sortOut } from './calm-rounds.ts';
import type { Disturbance } from './machine-watch.ts';

const rates: CalmKind<Disturbance> = { disturbanceOf: (round) => round };
const latencies: CalmKind<Disturbance> = { writeMsMax: 50, disturbanceOf: (round) => round };
const calm: Disturbance = { stolenShare: 0.01, slowestWriteMs: 5 };
const stolen: Disturbance = { stolenShare: 0.2, slowestWriteMs: 5 };
const stuck: Disturbance = { stolenShare: 0.02, slowestWriteMs: 120 };

function measured(kinds: readonly CalmKind<Disturbance>[], wanted: number, machine: readonly Disturbance[]): Promise<Disturbance[]> {
  return measureUntilCalm({ wanted, atMost: wanted * 2 }, kinds, async (round) => machine[round] ?? calm);
}

test('a calm machine is measured as often as asked', async () => {
  expect(await measured([rates, latencies], 3, [])).toHaveLength(3);
});

test('a round that others disturbed is measured once more, for each kind that it disturbs', async () => {
  expect(await measured([rates], 3, [calm, stolen, calm])).toEqual([calm, stolen, calm, calm]);
  expect(await measured([rates], 3, [calm, stuck, calm])).toHaveLength(3);
  expect(await measured([rates, latencies], 3, [calm, stuck, stolen])).toHaveLength(5);
});

test('a machine that is never calm is not measured for ever, and a few of the least disturbed rounds count', async () => {
  const machine = [0.5, 0.3, 0.4, 0.2, 0.5, 0.6, 0.7, 0.8].map((stolenShare) => ({ stolenShare, slowestWriteMs: 5 }));

  const rounds = await measured([rates], 4, machine);

  expect(rounds).toEqual(machine);
  expect(sortOut(rounds, 4, rates).counting).toEqual([machine[3]]);
  expect(sortOut(rounds, 8, rates).counting).toEqual([machine[1], machine[3]]);
});

test('of more calm rounds than are wanted the calmest count, in their order', () => {
  const machine = [0.03, 0.01, 0.02, 0.2].map((stolenShare) => ({ stolenShare, slowestWriteMs: 5 }));

  expect(sortOut(machine, 2, rates).counting).toEqual([machine[1], machine[2]]);
  expect(sortOut(machine, 4, rates).counting).toEqual(machine.slice(0, 3));
});

test('a disk that stands still counts only where it is asked for', () => {
  expect(sortOut([stuck, stolen, calm], 3, rates).counting).toEqual([stuck, calm]);
  expect(sortOut([stuck, stolen, calm], 3, latencies).counting).toEqual([calm]);
});

test('what was left out is said, with what the machine did then', () => {
  const rounds = [calm, stolen, stuck];

  expect(describeSorted({ counting: rounds, leftOut: [] }, rates)).toBe(
    "All 3 rounds: other guests of its host took 1 to 20 % of the processors' time.",
  );
  expect(describeSorted(sortOut(rounds, 3, latencies), latencies)).toBe(
    "1 of 3 rounds, in which others disturbed the machine least: other guests of its host took 1 to 1 % of the processors' time, and the slowest of " +
      "a round's writes of 8 KiB took 5 to 5 ms to reach the disk; in the 2 left out other guests of its host took 2 to 20 % of the processors' " +
      "time, and the slowest of a round's writes of 8 KiB took 5 to 120 ms to reach the disk.",
  );
});
