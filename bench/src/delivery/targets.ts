import { spreadOf } from '../statistics.ts';
import type { ContenderName } from './contenders.ts';
import type { Measurement } from './measurement.ts';

/** What was measured of each contender, one after the other, in the order of the rounds. */
export type Results = Partial<Readonly<Record<ContenderName, readonly Measurement[]>>>;

/** Slots and what receivers take. */
export interface Conditions {
  readonly concurrent: number;
  readonly delayMs: number;
}

/** A target beside what was measured, the median of the rounds. */
export interface CheckedTarget {
  readonly what: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly measured: number;
  readonly met: boolean;
}

interface Target {
  readonly what: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly values: readonly number[];
}

/** By slots, the part of bare undici's rate that a worker reaches at least. */
const ofBareFast: Readonly<Record<number, number>> = { 20: 0.6, 100: 0.65 };
const ofBareSlow: Readonly<Record<number, number>> = { 100: 0.85, 1000: 0.35 };

/** Three connections and one that listens, whatever the slots. */
const connectionsMax = 4;

/** What we hold ourselves to. Targets whose contenders were left out are left out. */
export function checkTargets(results: Results, { concurrent, delayMs }: Conditions): CheckedTarget[] {
  const ofBare = (delayMs === 0 ? ofBareFast : ofBareSlow)[concurrent];
  const targets: Target[] = [
    { what: 'rate, of bare undici', atLeast: ofBare ?? 0, values: ofBare === undefined ? [] : ratios(results, 'worker', 'bare') },
    { what: 'connections to the database', atMost: connectionsMax, values: valuesOf(results, 'worker', ({ connections }) => connections) },
  ];
  if (delayMs === 0) {
    targets.push(
      { what: 'rate, of row by row', atLeast: 8, values: ratios(results, 'worker', 'row-by-row') },
      { what: 'rate, of graphile-worker', atLeast: 2.5, values: ratios(results, 'worker', 'graphile-worker') },
      { what: 'rate, of pg-boss', atLeast: 1.4, values: ratios(results, 'worker', 'pg-boss') },
      { what: 'rate of two workers, of one', atLeast: 0.9, values: ratios(results, 'two-workers', 'worker') },
      {
        what: 'CPU of the worker, of bare undici',
        atMost: 1.9,
        values: ratios(results, 'worker', 'bare', ({ senderCpuMicros }) => senderCpuMicros),
      },
      { what: 'CPU of the database, us', atMost: 50, values: valuesOf(results, 'worker', ({ databaseCpuMicros }) => databaseCpuMicros) },
      { what: 'WAL, bytes', atMost: 1200, values: valuesOf(results, 'worker', ({ walBytes }) => walBytes) },
    );
  }
  return targets.filter(({ values }) => values.length > 0).map(check);
}

function check({ values, ...target }: Target): CheckedTarget {
  const { atLeast, atMost } = target;
  const measured = spreadOf(values).median;
  return { ...target, measured, met: (atLeast === undefined || measured >= atLeast) && (atMost === undefined || measured <= atMost) };
}

/** One contender beside another, by rate unless said otherwise: round by round, so that both met the same noise. */
export function ratios(
  results: Results,
  of: ContenderName,
  to: ContenderName,
  value: (measurement: Measurement) => number = ({ perSecond }) => perSecond,
): number[] {
  const divisors = results[to] ?? [];
  return (results[of] ?? []).flatMap((measurement, round) => {
    const divisor = divisors[round];
    return divisor ? [value(measurement) / value(divisor)] : [];
  });
}

function valuesOf(results: Results, of: ContenderName, value: (measurement: Measurement) => number | null): number[] {
  return (results[of] ?? []).map(value).filter((known) => known !== null);
}
