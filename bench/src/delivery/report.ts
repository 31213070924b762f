import type { ResultColumn, ResultTable } from '../result-table.ts';
import { contenderNames, contenders, isOurs } from './contenders.ts';
import type { Measurement } from './measurement.ts';
import { type CheckedTarget, type Conditions, ratios, type Results } from './targets.ts';

/** What was measured under the same conditions, and what was wanted. */
export interface Measured extends Conditions {
  readonly attempts: number;
  readonly receiver: string;
  readonly results: Results;
  readonly targets: readonly CheckedTarget[];
}

const columns: readonly ResultColumn[] = [
  { name: 'deliveries/s', digits: 0, isPlotted: true },
  { name: 'of bare', digits: 2 },
  { name: 'of row by row', digits: 1 },
  { name: 'sender CPU us', digits: 0, isPlotted: true },
  { name: 'database CPU us', digits: 0, isPlotted: true },
  { name: 'receiver CPU us', digits: 0 },
  { name: 'WAL bytes', digits: 0 },
  { name: 'peak RSS MiB', digits: 0 },
  { name: 'database connections', digits: 0 },
  { name: 'CPU of others, %', digits: 0 },
];

const targetColumns: readonly ResultColumn[] = [
  { name: 'measured', digits: 2 },
  { name: 'at least', digits: 2 },
  { name: 'at most', digits: 2 },
];

/** Every contender beside the others, and the targets beside what was measured. */
export function tablesOf(measured: Measured): ResultTable[] {
  const { concurrent, delayMs, attempts, receiver, results } = measured;
  const title = `${concurrent} slots, answers ${delayMs === 0 ? 'at once' : `after ${delayMs} ms`}`;
  const names = contenderNames.filter((name) => results[name] !== undefined);
  return [
    {
      title,
      note: `${attempts} attempts of 1 KiB a turn, receiver: ${receiver}. CPU and WAL are those of one delivery, ratios those of the same round.`,
      columns,
      rows: names.map((name) => {
        const each = (value: (measurement: Measurement) => number | null): number[] =>
          (results[name] ?? []).map(value).filter((known) => known !== null);
        return {
          name: contenders[name].title,
          isReference: !isOurs(name),
          cells: [
            each(({ perSecond }) => perSecond),
            ratios(results, name, 'bare'),
            ratios(results, name, 'row-by-row'),
            each(({ senderCpuMicros }) => senderCpuMicros),
            each(({ databaseCpuMicros }) => databaseCpuMicros),
            each(({ receiverCpuMicros }) => receiverCpuMicros),
            each(({ walBytes }) => walBytes),
            each(({ peakMemoryMiB }) => peakMemoryMiB),
            each(({ connections }) => connections),
            each(({ othersCpuShare }) => 100 * othersCpuShare),
          ],
        };
      }),
    },
    {
      title: `${title}: targets`,
      note: 'Medians of the rounds. CPU decides: rates on shared cores wander.',
      columns: targetColumns,
      rows: measured.targets.map(({ what, atLeast, atMost, measured: value, met }) => ({
        name: met ? what : `${what}: **missed**`,
        cells: [[value], atLeast === undefined ? [] : [atLeast], atMost === undefined ? [] : [atMost]],
      })),
    },
  ];
}
