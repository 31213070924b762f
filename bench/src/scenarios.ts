import type { Command } from 'commander';
import { benchGrowth } from './growth/growth.ts';
import { benchIsolation } from './isolation/isolation.ts';
import { benchLatency } from './latency/latency.ts';
import { benchRate } from './rate/rate.ts';
import { benchRecovery } from './recovery/recovery.ts';
import { writeReport } from './report/report.ts';
import { benchScale } from './scale/scale.ts';

interface SizeOptions {
  readonly quick?: boolean;
  readonly rounds?: string;
}

type Print = (line: string) => void;

/** Adds the scenarios that have two sizes, full and `--quick`, and the report on all results. */
export function addScenarios(program: Command, print: Print): void {
  scenario(program, 'latency', 'from the commit of an event to the socket of its receiver; what idle workers cost').action(
    (size: SizeOptions) =>
      benchLatency({
        perSecond: 200,
        idleWorkers: 10,
        ...(size.quick
          ? { seconds: 2, warmUpSeconds: 1, idleSeconds: 3, idleEvents: 5 }
          : { seconds: 30, warmUpSeconds: 5, idleSeconds: 30, idleEvents: 50 }),
        rounds: roundsOf(size),
        print,
      }),
  );
  scenario(program, 'growth', 'claims and rates with millions of attempts finished, waiting, due, and beside an open transaction').action(
    (size: SizeOptions) =>
      benchGrowth({
        ...(size.quick
          ? { finished: 100_000, waiting: 10_000, due: 20_000, heldSeconds: 6, deliveries: 3000, warmUp: 1000 }
          : { finished: 10_000_000, waiting: 100_000, due: 1_000_000, heldSeconds: 180, deliveries: 50_000, warmUp: 10_000 }),
        rounds: roundsOf(size),
        print,
      }),
  );
  scenario(program, 'scale', 'one queue, more and more worker processes').action((size: SizeOptions) =>
    benchScale({
      workers: size.quick ? [1, 4] : [1, 2, 4, 8, 16],
      attempts: size.quick ? 6000 : 100_000,
      rounds: roundsOf(size),
      print,
    }),
  );
  scenario(program, 'recovery', 'kills a worker and the database under load').action((size: SizeOptions) =>
    benchRecovery({
      worker: { perSecond: 200, beforeMs: size.quick ? 1500 : 10_000 },
      database: size.quick ? { beforeMs: 1000, afterMs: 3000 } : { beforeMs: 10_000, afterMs: 30_000 },
      rounds: roundsOf(size),
      print,
    }),
  );
  addReceiverScenarios(program, print);
  program
    .command('report')
    .description('writes docs/benchmarks.md and its plots from bench/results')
    .action(() => writeReport(print));
}

/** What receivers do to each other, and what workers do to them. */
function addReceiverScenarios(program: Command, print: Print): void {
  scenario(program, 'isolation', 'healthy receivers beside some that hang and one with a backlog of a million').action(
    (size: SizeOptions) =>
      benchIsolation({
        ...(size.quick
          ? {
              healthy: 20,
              hanging: 4,
              hangingBacklog: 100,
              slowBacklog: 20_000,
              perSecond: 200,
              warmUpSeconds: 2,
              seconds: 2,
              drainSeconds: 3,
            }
          : {
              healthy: 179,
              hanging: 20,
              hangingBacklog: 2000,
              slowBacklog: 1_000_000,
              perSecond: 500,
              warmUpSeconds: 10,
              seconds: 20,
              drainSeconds: 60,
            }),
        rounds: size.rounds === undefined && !size.quick ? isolationPairs : roundsOf(size),
        print,
      }),
  );
  scenario(program, 'rate', 'a subscription with a rate, delivered by four workers').action((size: SizeOptions) =>
    benchRate({ workers: 4, perSecond: 10, seconds: size.quick ? 5 : 30, rounds: roundsOf(size), print }),
  );
}

/** The ratio of two rounds varies more than each. */
const isolationPairs = 5;

function scenario(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--rounds <count>', 'how often everything is measured: 3, or 1 with --quick')
    .option('--quick', 'small sizes, in about half a minute: shows that it works, not how fast');
}

function roundsOf({ quick = false, rounds }: SizeOptions): number {
  return rounds === undefined ? (quick ? 1 : 3) : Number(rounds);
}
