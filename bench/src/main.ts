import { randomInt } from 'node:crypto';
import { createTestDatabase } from '@postrider/testkit/test-database';
import { Command } from 'commander';
import { benchBatches } from './batches/batches.ts';
import { startBenchServer } from './bench-database.ts';
import { runChaos } from './chaos/chaos.ts';
import { contenderNames } from './delivery/contenders.ts';
import { runIngestChaos } from './chaos/ingest-chaos.ts';
import { benchDelivery } from './delivery/delivery.ts';
import { type DeliveryFlags, deliveryChoices, readContenders, readCount, readCounts } from './delivery/options.ts';
import { benchFlow } from './flow/flow.ts';
import { runFuzz } from './fuzz/fuzz.ts';
import { benchIngest } from './ingest/ingest.ts';
import { benchLimits } from './limits/limits.ts';
import { benchMass } from './mass/mass.ts';
import { benchPlans } from './plans/plans.ts';
import { benchQueries } from './queries/queries.ts';
import { addScenarios } from './scenarios.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const program = new Command('pnpm bench').description(
  'Measures Postrider beside its alternatives, in the same run; and tries to break it.',
);

program
  .command('delivery')
  .description(
    'a backlog worked off by one, two and four workers, beside bare undici, the row-by-row algorithm, graphile-worker and pg-boss',
  )
  .option('--quick', 'one short round with few contenders, in under half a minute')
  .option('--attempts <count>', 'attempts in the backlog of each turn (25,000)', readCount)
  .option('--concurrent <list>', 'slots beside a receiver that answers at once (20,100); none when empty', readCounts)
  .option('--slow <list>', 'slots beside receivers that take 50 ms (100,1000); none when empty', readCounts)
  .option('--rounds <count>', 'how often everything is measured (10)', readCount)
  .option('--contenders <list>', `of ${contenderNames.join(', ')} (all)`, readContenders)
  .action((flags: DeliveryFlags) => benchDelivery({ ...deliveryChoices(flags), print }));

program
  .command('flow')
  .description('events in and out at the same time: rates, latency and memory of one API and one worker of 20 slots')
  .option('--seconds <count>', 'how long', '20')
  .option('--clients <count>', 'requests to the API at a time', '20')
  .action(({ seconds, clients }: { seconds: string; clients: string }) =>
    benchFlow({ seconds: Number(seconds), clients: Number(clients), print }),
  );

program
  .command('batches')
  .description('events in over HTTP: one by one, in arrays and as lines, optionally beside another checkout')
  .option('--seconds <count>', 'how long each is measured', '5')
  .option('--rounds <count>', 'how often', '5')
  .option('--clients <count>', 'requests at a time, of one event each', '50')
  .option('--against <directory>', 'another checkout of this repository, built')
  .action(({ seconds, rounds, clients, against }: { seconds: string; rounds: string; clients: string; against?: string }) =>
    benchBatches({ seconds: Number(seconds), rounds: Number(rounds), clients: Number(clients), against: against ?? null, print }),
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
      print,
    }),
  );

program
  .command('mass')
  .description(
    'disables, deletes and pauses what has hundreds of thousands of open attempts: how soon it answers, ends and lets others go on',
  )
  .option('--rows <count>', 'open attempts of the subscription', '800000')
  .option('--rounds <count>', 'how often each change is measured', '1')
  .option('--only <text>', 'the changes whose name contains it', '')
  .option('--quick', '40,000 attempts and short phases')
  .action(({ rows, rounds, only, quick = false }: { rows: string; rounds: string; only: string; quick?: boolean }) =>
    benchMass({
      only,
      rows: quick ? 40_000 : Number(rows),
      rounds: Number(rounds),
      phaseMs: quick ? 4000 : 10_000,
      print,
    }),
  );

program
  .command('ingest')
  .description('events in over HTTP, beside a bare server with the same group commit and one that commits each event by itself')
  .option('--seconds <count>', 'how long each measurement takes', '3')
  .option('--connections <count>', 'requests at a time', '64')
  .option('--processes <count>', 'processes of the API', '1')
  .option('--rounds <count>', 'how often everything is measured', '12')
  .option('--quick', 'one short round')
  .action(
    ({
      seconds,
      connections,
      processes,
      rounds,
      quick = false,
    }: {
      seconds: string;
      connections: string;
      processes: string;
      rounds: string;
      quick?: boolean;
    }) =>
      benchIngest({
        seconds: Number(seconds),
        connections: Number(connections),
        processes: Number(processes),
        rounds: quick ? 1 : Number(rounds),
        print,
      }),
  );

const chaos = program
  .command('chaos')
  .description('kills and stops processes and the database under load, then counts what was lost')
  .option('--seconds <count>', 'how long', '300')
  .option('--workers <count>', 'worker processes', '3')
  .action(async ({ seconds, workers }: { seconds: string; workers: string }) => {
    const result = await runChaos({ seconds: Number(seconds), workers: Number(workers), random: Math.random, print });
    print(JSON.stringify(result));
    process.exitCode = result.lost === 0 ? 0 : 1;
  });

chaos
  .command('ingest')
  .description('kills the API under load, then looks for events that were lost, halved or doubled')
  .option('--kills <count>', 'how often', '50')
  .option('--processes <count>', 'processes of the API', '2')
  .option('--clients <count>', 'requests at a time', '32')
  .action(async ({ kills, processes, clients }: { kills: string; processes: string; clients: string }) => {
    const result = await runIngestChaos({
      kills: Number(kills),
      processes: Number(processes),
      clients: Number(clients),
      random: Math.random,
      print,
    });
    print(JSON.stringify(result));
    process.exitCode = result.lost + result.incomplete + result.doubled === 0 ? 0 : 1;
  });

program
  .command('fuzz')
  .description('sends requests made from the OpenAPI document to an API, valid and broken, and holds every answer to it')
  .option('--requests <count>', 'how many', '20000')
  .option('--seed <number>', 'makes the same requests as the run that named it')
  .action(async ({ requests, seed = String(randomInt(2 ** 31)) }: { requests: string; seed?: string }) => {
    print(`seed ${seed}`);
    const server = await startBenchServer();
    const database = await createTestDatabase(server.superuserUrl);
    try {
      const result = await runFuzz({ databaseUrl: database.runtimeUrl, requests: Number(requests), seed: Number(seed) });
      print(`${requests} requests, no failure of ours: ${JSON.stringify(result)}`);
    } finally {
      await database.drop();
      await server.stop();
    }
  });

addScenarios(program, print);

await program.parseAsync();
