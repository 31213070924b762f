import { createTestDatabase } from '@postrider/testkit/test-database';
import { Command } from 'commander';
import { startBenchServer } from './bench-database.ts';
import { runChaos } from './chaos/chaos.ts';
import { benchDelivery } from './delivery/delivery.ts';
import { benchFlow } from './flow/flow.ts';
import { runFuzz } from './fuzz/fuzz.ts';
import { benchLimits } from './limits/limits.ts';
import { benchMass } from './mass/mass.ts';
import { benchPlans } from './plans/plans.ts';
import { benchQueries } from './queries/queries.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const program = new Command('pnpm bench').description(
  'Measures Postrider beside its alternatives, in the same run; and tries to break it.',
);

program
  .command('delivery')
  .description('one worker draining a backlog, beside bare undici and the row-by-row algorithm')
  .option('--attempts <count>', 'attempts in the backlog', '50000')
  .option('--concurrent <list>', 'slots, separated by commas', '20,100')
  .option('--rounds <count>', 'how often everything is measured', '3')
  .action(({ attempts, concurrent, rounds }: { attempts: string; concurrent: string; rounds: string }) =>
    benchDelivery({ attempts: Number(attempts), concurrencies: concurrent.split(',').map(Number), rounds: Number(rounds), print }),
  );

program
  .command('flow')
  .description('events in and out at the same time: rates, latency and memory of one API and one worker of 20 slots')
  .option('--seconds <count>', 'how long', '20')
  .option('--clients <count>', 'requests to the API at a time', '20')
  .action(({ seconds, clients }: { seconds: string; clients: string }) =>
    benchFlow({ seconds: Number(seconds), clients: Number(clients), print }),
  );

program
  .command('limits')
  .description('what rate limits, shared ones and quotas cost: the same API with and without them, in turns')
  .option('--seconds <count>', 'how long each is measured in a round', '5')
  .option('--rounds <count>', 'how often everything is measured', '5')
  .option('--clients <count>', 'requests at a time', '24')
  .action(({ seconds, rounds, clients }: { seconds: string; rounds: string; clients: string }) =>
    benchLimits({ seconds: Number(seconds), rounds: Number(rounds), clients: Number(clients), print }),
  );

program
  .command('plans')
  .description('the statements on a long queue, prepared and executed ten times')
  .option('--rows <count>', 'attempts in the queue', '1000000')
  .action(({ rows }: { rows: string }) => benchPlans({ rows: Number(rows), print }));

program
  .command('queries')
  .description('every list, item and report of the API over a long history, through HTTP')
  .option('--events <count>', 'events, each with three attempts', '1000000')
  .option('--days <count>', 'days that they came on', '30')
  .option('--requests <count>', 'requests to each endpoint', '200')
  .action(({ events, days, requests }: { events: string; days: string; requests: string }) =>
    benchQueries({
      events: Number(events),
      days: Number(days),
      requests: Number(requests),
      command: `pnpm bench queries --events ${events} --days ${days} --requests ${requests}`,
      print,
    }),
  );

program
  .command('mass')
  .description('disables and deletes what has hundreds of thousands of open attempts: how soon it answers, ends and lets others go on')
  .option('--rows <count>', 'open attempts of the subscription', '800000')
  .option('--rounds <count>', 'how often each change is measured', '1')
  .option('--quick', '40,000 attempts and short phases')
  .action(({ rows, rounds, quick = false }: { rows: string; rounds: string; quick?: boolean }) =>
    benchMass({
      rows: quick ? 40_000 : Number(rows),
      rounds: Number(rounds),
      phaseMs: quick ? 4000 : 10_000,
      command: `pnpm bench ${process.argv.slice(2).join(' ')}`,
      print,
    }),
  );

program
  .command('chaos')
  .description('kills and stops processes and the database under load, then counts what was lost')
  .option('--seconds <count>', 'how long', '300')
  .option('--workers <count>', 'worker processes', '3')
  .action(async ({ seconds, workers }: { seconds: string; workers: string }) => {
    const result = await runChaos({ seconds: Number(seconds), workers: Number(workers), random: Math.random, print });
    print(JSON.stringify(result));
    process.exitCode = result.lost === 0 ? 0 : 1;
  });

program
  .command('fuzz')
  .description('sends random and broken requests to the API')
  .option('--requests <count>', 'how many', '20000')
  .option('--seed <number>', 'repeats a run that failed')
  .action(async ({ requests, seed }: { requests: string; seed?: string }) => {
    const server = await startBenchServer();
    const database = await createTestDatabase(server.superuserUrl);
    await runFuzz({ databaseUrl: database.runtimeUrl, requests: Number(requests), ...(seed === undefined ? {} : { seed: Number(seed) }) });
    await database.drop();
    await server.stop();
    print(`${requests} requests, no failure of ours`);
  });

await program.parseAsync();
