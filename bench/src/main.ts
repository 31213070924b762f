import { Command } from 'commander';
import { benchDelivery } from './delivery/delivery.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const program = new Command('pnpm bench').description('Measures Postrider beside its alternatives, in the same run.');

program
  .command('delivery')
  .description('one worker draining a backlog, beside bare undici and the row-by-row algorithm')
  .option('--attempts <count>', 'attempts in the backlog', '50000')
  .option('--concurrent <list>', 'slots, separated by commas', '20,100')
  .option('--rounds <count>', 'how often everything is measured', '3')
  .action(({ attempts, concurrent, rounds }: { attempts: string; concurrent: string; rounds: string }) =>
    benchDelivery({ attempts: Number(attempts), concurrencies: concurrent.split(',').map(Number), rounds: Number(rounds), print }),
  );

await program.parseAsync();
