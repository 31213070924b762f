import { formatSpread, renderTable, spreadOf } from '../statistics.ts';
import { type ContenderName, contenderNames, contenders } from './contenders.ts';
import type { Measurement } from './measurement.ts';
import { ratios, type Results } from './targets.ts';

/** Everything that was measured under the same conditions: medians, with the least and the most of several rounds. */
export function renderResults(results: Results): string {
  const measured = contenderNames.filter((name) => results[name] !== undefined);
  return renderTable(
    [
      'what',
      'deliveries/s',
      'of bare',
      'of row by row',
      'sender CPU us',
      'database CPU us',
      'receiver CPU us',
      'WAL bytes',
      'peak RSS MiB',
      'database connections',
      'CPU of others, %',
    ],
    measured.map((name) => row(results, name)),
  );
}

function row(results: Results, name: ContenderName): string[] {
  const measurements = results[name] ?? [];
  const column = (value: (measurement: Measurement) => number | null): string => spread(measurements.map(value), 0);
  return [
    contenders[name].title,
    column(({ perSecond }) => perSecond),
    spread(ratios(results, name, 'bare'), 2),
    spread(ratios(results, name, 'row-by-row'), 2),
    column(({ senderCpuMicros }) => senderCpuMicros),
    column(({ databaseCpuMicros }) => databaseCpuMicros),
    column(({ receiverCpuMicros }) => receiverCpuMicros),
    column(({ walBytes }) => walBytes),
    most(measurements.map(({ peakMemoryMiB }) => peakMemoryMiB)),
    most(measurements.map(({ connections }) => connections)),
    column(({ othersCpuShare }) => 100 * othersCpuShare),
  ];
}

function spread(values: readonly (number | null)[], digits: number): string {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? '' : formatSpread(known, digits);
}

function most(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? '' : spreadOf(known).max.toFixed(0);
}
