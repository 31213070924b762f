import { randomUUID } from 'node:crypto';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { makeWorkerUtils } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import type { Sink } from '../sink.ts';
import { clearOwnLog, insertOwnBacklog } from './backlog.ts';
import { clearTables } from './measurement.ts';
import type { JobData } from './job.ts';
import type { Phase } from './peer-process.ts';

/** The queue of a peer, in a database of its own. */
export interface PeerQueue {
  /** Makes its tables. */
  prepare(database: TestDatabase): Promise<void>;
  insert(database: TestDatabase, phase: Phase, count: number, sink: Sink): Promise<void>;
  /** How many deliveries are over, with their responses stored. */
  countStored(database: TestDatabase): Promise<number>;
  /** Takes those away. */
  clear(database: TestDatabase): Promise<void>;
}

const jobsPerInsert = 5000;

const responseTableSql = `create table delivery_response (
  request_attempt_id uuid primary key,
  http_code smallint not null,
  headers jsonb not null,
  body bytea not null,
  received_at timestamptz not null default statement_timestamp()
)`;

/** Our tables, worked off row by row. */
export const rowByRowQueue: PeerQueue = {
  prepare: () => Promise.resolve(),
  async insert(database, _phase, count, sink) {
    await insertOwnBacklog(database, sink, count);
  },
  countStored: (database) =>
    countOf(
      database,
      `select count(*)::integer as count from webhook.finished_attempt where http_code = 200 and response_headers is not null
       and not exists (select from webhook.open_attempt)`,
    ),
  clear: clearOwnLog,
};

/** The tables of graphile-worker, and one for responses. */
export const graphileQueue: PeerQueue = {
  async prepare(database) {
    const utils = await makeWorkerUtils({ connectionString: database.ownerUrl });
    await utils.migrate();
    await utils.withPgClient((client) => client.query(responseTableSql));
    await utils.release();
  },
  async insert(database, _phase, amount) {
    const utils = await makeWorkerUtils({ connectionString: database.ownerUrl });
    for (const jobs of jobsInGroups(amount)) {
      await utils.addJobs(jobs.map((payload) => ({ identifier: 'deliver', payload })));
    }
    await utils.release();
  },
  countStored: (database) =>
    countOf(
      database,
      `select count(*)::integer as count from delivery_response where http_code = 200 and not exists (select from graphile_worker.jobs)`,
    ),
  clear: (database) => clearTables(database, ['delivery_response']),
};

/** The tables of pg-boss, in which each job has its output. A queue for each phase, with a table of its own. */
export const pgBossQueue: PeerQueue = {
  async prepare(database) {
    const boss = await startBoss(database);
    await boss.createQueue('warm_up' satisfies Phase, { partition: true });
    await boss.createQueue('measured' satisfies Phase, { partition: true });
    await boss.stop();
  },
  async insert(database, phase, amount) {
    const boss = await startBoss(database);
    for (const jobs of jobsInGroups(amount)) {
      await boss.insert(
        phase,
        jobs.map((data) => ({ data })),
      );
    }
    await boss.stop();
  },
  countStored: (database) =>
    countOf(
      database,
      `select count(*)::integer as count from pgboss.job where state = 'completed' and (output->>'httpCode')::integer = 200 and output ? 'headers'`,
    ),
  clear: (database) => clearTables(database, ['pgboss.job']),
};

function startBoss(database: TestDatabase): Promise<PgBoss> {
  return new PgBoss({ connectionString: database.ownerUrl, supervise: false, schedule: false }).start();
}

function* jobsInGroups(amount: number): Generator<JobData[]> {
  const payload = `{"data":"${'x'.repeat(1013)}"}`;
  for (let made = 0; made < amount; made += jobsPerInsert) {
    yield Array.from({ length: Math.min(jobsPerInsert, amount - made) }, () => ({
      requestAttemptId: randomUUID(),
      eventId: randomUUID(),
      eventTypeName: 'order.item.created',
      payload,
    }));
  }
}

async function countOf(database: TestDatabase, text: string): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>({ text });
  return rows[0]?.count ?? 0;
}
