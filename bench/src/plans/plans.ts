import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { measureQueueStatements } from '@postrider/testkit/queue-plans';
import { openTestPool } from '@postrider/testkit/test-database';
import { startBenchServer } from '../bench-database.ts';
import { environmentOf, saveResults } from '../results.ts';
import { renderTable } from '../statistics.ts';

export interface PlansBenchOptions {
  readonly rows: number;
  readonly print: (line: string) => void;
}

/** Rows that one statement seeds: more would share its memory. */
const seedRows = 100_000;

/** The statements on a long queue, prepared and executed ten times; fails when one of them reads the whole queue. */
export async function benchPlans(options: PlansBenchOptions): Promise<void> {
  const server = await startBenchServer();
  try {
    const database = await server.createDatabase();
    // Statistics of an empty queue are what a cached plan is made with when a backlog begins.
    await database.admin.query({ text: 'analyze webhook.open_attempt' });
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application);
    for (let rows = 0; rows < options.rows; rows += seedRows) {
      await insertBacklog(database.admin, application, subscription, { count: Math.min(seedRows, options.rows - rows), payloadBytes: 16 });
    }
    const results: Record<string, unknown> = {};
    for (const statistics of ['of an empty queue', 'fresh']) {
      if (statistics === 'fresh') {
        await database.admin.query({ text: 'analyze webhook.open_attempt' });
      }
      const db = openTestPool(database.runtimeUrl, 1);
      const costs = await measureQueueStatements(db);
      await db.end();
      results[`${options.rows} rows, statistics ${statistics}`] = costs;
      options.print(`\n${options.rows} rows, statistics ${statistics}\n`);
      options.print(
        renderTable(
          ['statement', 'sequential scans', 'rows fetched per attempt', 'ms per statement'],
          costs.map((cost) => [
            cost.statement,
            String(cost.sequentialScans),
            cost.fetchedPerAttempt.toFixed(1),
            cost.milliseconds.toFixed(1),
          ]),
        ),
      );
      if (costs.some(({ sequentialScans, fetchedPerAttempt }) => sequentialScans > 0 || fetchedPerAttempt > 20)) {
        throw new Error('A statement reads more of the queue than its rows.');
      }
    }
    saveResults('plans', environmentOf(server.version), results);
    await database.drop();
  } finally {
    await server.stop();
  }
}
