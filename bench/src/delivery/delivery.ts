import { type BenchServer, startBenchServer } from '../bench-database.ts';
import { withCleanUp } from '../clean-up.ts';
import { renderResultTable } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { type Sink, startSink, startSlowSink } from '../sink.ts';
import { type ContenderName, contenders, warmUpPerSlot } from './contenders.ts';
import type { Measurement, PreparedContender } from './measurement.ts';
import { type Measured, tablesOf } from './report.ts';
import { checkTargets, type Conditions } from './targets.ts';

export interface DeliveryBenchOptions {
  readonly attempts: number;
  /** Slots beside a receiver that answers at once. */
  readonly concurrencies: readonly number[];
  /** Slots beside receivers that take 50 ms. */
  readonly slowConcurrencies: readonly number[];
  readonly rounds: number;
  readonly contenders: readonly ContenderName[];
  readonly print: (line: string) => void;
}

interface Scenario extends Conditions {
  readonly contenders: readonly ContenderName[];
  readonly attempts: number;
}

/** Deliveries before those of all rounds, times those of one: with fewer, compiling what runs for days later is seen in the first rounds. */
const warmUpTurns = 2;
const slowDelayMs = 50;
/** Seconds that a turn of a slow scenario takes at most if nothing but the receivers' delay holds it up. */
const slowSecondsMax = 4;
/** Others would need a connection to the database per slot, or say nothing new. */
const slowContenders: ReadonlySet<ContenderName> = new Set<ContenderName>(['bare', 'worker']);

/**
 * Works off a backlog in every way we know, side by side in the same run: each sends the same signed requests, and each but bare undici
 * stores the same response. All are started and warmed up first, each with a database of its own; then they take turns of a second or two, every
 * other round in reverse, so that the noise of a shared machine meets all of them: it may be half as fast for a minute.
 */
export async function benchDelivery(options: DeliveryBenchOptions): Promise<void> {
  const server = await startBenchServer();
  try {
    const environment = environmentOf(server.version);
    options.print(
      `${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; ` +
        `${options.attempts} attempts of 1 KiB a turn, rounds: ${options.rounds}; medians of the rounds (least to most), per delivery`,
    );
    const measurements: Measured[] = [];
    for (const scenario of scenariosOf(options)) {
      const measured = await measureScenario(server, scenario, options);
      measurements.push(measured);
      tablesOf(measured).forEach((table) => options.print(`\n${renderResultTable(table)}`));
      // After each, so that a run that is broken off has said what it knows.
      saveResults('delivery', environment, { tables: measurements.flatMap(tablesOf), measurements });
    }
  } finally {
    await server.stop();
  }
}

function scenariosOf(options: DeliveryBenchOptions): Scenario[] {
  const slow = options.contenders.filter((name) => slowContenders.has(name));
  return [
    ...options.concurrencies.map((concurrent) => ({
      concurrent,
      delayMs: 0,
      contenders: options.contenders,
      attempts: options.attempts,
    })),
    ...options.slowConcurrencies.map((concurrent) => ({
      concurrent,
      delayMs: slowDelayMs,
      contenders: slow,
      attempts: Math.min(options.attempts, Math.ceil((concurrent * slowSecondsMax * 1000) / slowDelayMs)),
    })),
  ];
}

async function measureScenario(server: BenchServer, scenario: Scenario, { rounds }: DeliveryBenchOptions): Promise<Measured> {
  const { concurrent, attempts, contenders: names } = scenario;
  return withCleanUp(async (defer) => {
    const sink = await startReceiver(scenario);
    defer(() => sink.stop());
    const warmUp = Math.max(warmUpTurns * attempts, warmUpPerSlot * concurrent);
    const prepared: { name: ContenderName; contender: PreparedContender }[] = [];
    for (const name of names) {
      const contender = await contenders[name].prepare({ server, sink, concurrent, attempts, warmUp });
      defer(() => contender.stop());
      prepared.push({ name, contender });
    }

    const results: Partial<Record<ContenderName, Measurement[]>> = {};
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, contender } of round % 2 === 0 ? prepared : prepared.toReversed()) {
        results[name] = [...(results[name] ?? []), await contender.measure()];
      }
    }
    return { ...scenario, receiver: sink.kind, results, targets: checkTargets(results, scenario) };
  });
}

function startReceiver({ delayMs }: Scenario): Promise<Sink> {
  return delayMs === 0 ? startSink() : startSlowSink(delayMs);
}
