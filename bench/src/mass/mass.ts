import { startBenchServer } from '../bench-database.ts';
import { environmentOf, saveResults } from '../results.ts';
import { formatSpread, renderTable } from '../statistics.ts';
import { massChanges } from './mass-changes.ts';
import { measureMassChange, type MassMeasurement } from './mass-round.ts';

export interface MassBenchOptions {
  readonly rows: number;
  readonly rounds: number;
  /** How long traffic is watched before the backlog, with it, and after it. */
  readonly phaseMs: number;
  /** Changes whose name contains this; empty for all. */
  readonly only: string;
  readonly print: (line: string) => void;
}

interface Result {
  readonly change: string;
  readonly measurements: readonly MassMeasurement[];
}

/** Ends and pauses what has hundreds of thousands of open attempts, beside another customer's steady traffic. */
export async function benchMass(options: MassBenchOptions): Promise<void> {
  const { rows, rounds, phaseMs, print } = options;
  const server = await startBenchServer();
  const environment = environmentOf(server.version);
  print(
    `${environment.machine}; Node ${environment.node}; PostgreSQL ${environment.postgres}, fsync on; ${rows} open attempts, ${rounds} rounds`,
  );
  const results: Result[] = [];
  try {
    for (const change of massChanges.filter(({ name }) => name.includes(options.only))) {
      const measurements: MassMeasurement[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const measurement = await measureMassChange(server, { change, rows, phaseMs });
        measurements.push(measurement);
        print(`${change.name}: ${JSON.stringify(measurement)}`);
      }
      results.push({ change: change.name, measurements });
    }
  } finally {
    await server.stop();
  }
  print(`\n${renderResults(results)}`);
  saveResults('mass', environment, results, { rows, rounds });
  const untrue = results.flatMap(({ measurements }) => measurements).filter((m) => m.untrue > 0 || m.deadlocks > 0);
  if (untrue.length > 0) {
    throw new Error('The API told something untrue, or statements deadlocked.');
  }
}

const columns: readonly (readonly [head: string, read: (measurement: MassMeasurement) => number | null, digits: number])[] = [
  ['answer ms', (m) => m.answerMs, 0],
  ['last start after it ms', (m) => m.lastStartMs, 0],
  ['untrue then', (m) => m.untrue, 0],
  ['all settled s', (m) => m.settledMs / 1000, 1],
  ['others alone', (m) => m.alone, 2],
  ['with the backlog', (m) => m.backlogged, 2],
  ['while it settles', (m) => m.during, 2],
  ['after', (m) => m.after, 2],
  ['others resume ms', (m) => m.othersResumeMs, 0],
  ['claim alone, mean ms', (m) => m.claimMeanMs, 1],
  ['p99 below', (m) => m.claimP99Ms, 0],
  ['claim while it settles, mean ms', (m) => m.claimDuringMeanMs, 1],
  ['p99 below', (m) => m.claimDuringP99Ms, 0],
  ['in flight', (m) => m.inFlight, 0],
  ['recorded as answered', (m) => m.inFlightRecorded, 0],
  ['resume: answer ms', (m) => m.resume && m.resume.answerMs, 0],
  ['first start after it ms', (m) => m.resume && m.resume.firstStartMs, 0],
  ['all released s', (m) => m.resume && m.resume.releasedMs / 1000, 1],
  ['deadlocks', (m) => m.deadlocks, 0],
];

function renderResults(results: readonly Result[]): string {
  return renderTable(
    ['', ...results.map(({ change }) => change)],
    columns.map(([head, read, digits]) => [head, ...results.map(({ measurements }) => formatMeasured(measurements.map(read), digits))]),
  );
}

function formatMeasured(values: readonly (number | null)[], digits: number): string {
  const measured = values.filter((value) => value !== null);
  return measured.length === 0 ? '' : formatSpread(measured, digits);
}
