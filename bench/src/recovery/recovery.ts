import { startBenchServer } from '../bench-database.ts';
import { withCleanUp } from '../clean-up.ts';
import { renderResultTable, type ResultTable, type Round, rowOf } from '../result-table.ts';
import { environmentOf, saveResults } from '../results.ts';
import { databaseKillColumns, type DatabaseKillOptions, measureDatabaseKill } from './database-kill.ts';
import { receiverDelayMs, recoveryLeaseMs, recoverySlots } from './stage.ts';
import { measureWorkerKill, workerKillColumns, type WorkerKillOptions } from './worker-kill.ts';

export interface RecoveryBenchOptions {
  readonly worker: WorkerKillOptions;
  readonly database: DatabaseKillOptions;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

/** What a worker that is killed under load leaves behind, and how soon deliveries go on after the database was killed. */
export async function benchRecovery(options: RecoveryBenchOptions): Promise<void> {
  await withCleanUp(async (defer) => {
    const server = await startBenchServer();
    defer(() => server.stop());
    const environment = environmentOf(server.version);
    options.print(`${environment.machine}; Node ${environment.node}; PostgreSQL ${server.version}, fsync on; ${options.rounds} rounds`);
    const workerRounds: Round[] = [];
    const databaseRounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      workerRounds.push(await measureWorkerKill(server, options.worker));
      databaseRounds.push(await measureDatabaseKill(server, options.database));
    }
    const tables = tablesOf(options, workerRounds, databaseRounds);
    tables.forEach((table) => options.print(`\n${renderResultTable(table)}`));
    saveResults('recovery', environment, { tables });
  });
}

function tablesOf(options: RecoveryBenchOptions, workerRounds: readonly Round[], databaseRounds: readonly Round[]): ResultTable[] {
  const setting = `workers of ${recoverySlots} slots, a receiver that takes ${receiverDelayMs} ms`;
  return [
    {
      title: 'A worker is killed',
      note:
        `kill -9 of one of two ${setting}, ${options.worker.perSecond} attempts a second, leases of ${recoveryLeaseMs / 1000} s. In flight ` +
        'is what had arrived at the receiver and was not recorded: only that may arrive twice.',
      columns: workerKillColumns,
      rows: [rowOf(workerKillColumns, 'kill -9 of a worker', workerRounds)],
    },
    {
      title: 'The database is killed',
      note: `kill -9 of the first process of PostgreSQL, which is started again at once; two ${setting}, all slots busy.`,
      columns: databaseKillColumns,
      rows: [rowOf(databaseKillColumns, 'kill -9 of PostgreSQL', databaseRounds)],
    },
  ];
}
