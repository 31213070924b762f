import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startApi, startWorker } from '@postrider/testkit/postrider-processes';
import type { BenchServer } from '../bench-database.ts';
import { stopProcess, withCleanUp } from '../clean-up.ts';
import { treeCpuSeconds } from '../cpu-time.ts';
import type { ResultColumn, Round } from '../result-table.ts';
import { isClaim, type LoggedStatement, readStatements } from './statement-log.ts';

export interface IdleOptions {
  readonly workers: number;
  readonly seconds: number;
  readonly events: number;
  readonly receiverUrl: string;
}

/** Every process has shown itself to the others by then: they beat every five seconds. */
const rosterMs = 5500;
/** What a process asks once, at its start, is over by then. */
const settleMs = 500;
/** The worker whose turn it is claims at once; the others wait 20 ms. */
const atOnceMs = 15;
const soonMs = 100;
/** Between single events, so that each finds idle workers; no multiple of the second in which idle workers look by themselves. */
const betweenEventsMs = 370;

export const idleColumns: readonly ResultColumn[] = [
  { name: 'statements/s while idle', digits: 1, isPlotted: true },
  { name: 'database CPU ms/s while idle', digits: 1, isPlotted: true },
  { name: 'workers that claim at once after an event', digits: 1, target: { atMost: 2 }, isPlotted: true },
  { name: 'workers that claim within 100 ms', digits: 1 },
];

/** What workers ask of the database while nothing happens, and how many of them answer one event. */
export function measureIdleWorkers(server: BenchServer, options: IdleOptions): Promise<Round> {
  return withCleanUp(async (defer) => {
    const database = await server.createDatabase();
    defer(() => database.drop());
    // Only what connects from now on is logged.
    await database.admin.query({ text: `alter database ${database.name} set log_statement = 'all'` });
    const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
    defer(() => stopProcess(api));
    const workers = await Promise.all(
      Array.from({ length: options.workers }, () => startWorker({ databaseUrl: database.runtimeUrl, args: ['--concurrent=20'] })),
    );
    defer(() => Promise.all(workers.map(stopProcess)));
    const setup = await setUpApplication(new ApiClient(api.url));
    await subscribe(setup, options.receiverUrl);
    await wait(settleMs);

    const idleFrom = Date.now();
    const cpuBefore = treeCpuSeconds(server.pid);
    await wait(options.seconds * 1000);
    const idleUntil = Date.now();
    const databaseCpu = treeCpuSeconds(server.pid) - cpuBefore;
    await wait(Math.max(0, rosterMs - (idleUntil - idleFrom)));

    for (let index = 0; index < options.events; index += 1) {
      await setup.client.expect('POST', '/api/v1/event', eventOf(setup, { event_id: randomUUID() }));
      await wait(betweenEventsMs);
    }
    const { rows } = await database.admin.query<{ at: number }>({
      text: 'select extract(epoch from pg_xact_commit_timestamp(xmin))::double precision * 1000 as at from event.event',
    });
    const statements = readStatements(server.logFile);
    const seconds = (idleUntil - idleFrom) / 1000;
    const claims = statements.filter(isClaim);
    return {
      'statements/s while idle': between(statements, idleFrom, idleUntil).length / seconds,
      'database CPU ms/s while idle': (databaseCpu / seconds) * 1000,
      'workers that claim at once after an event': mean(rows.map(({ at }) => countWorkers(claims, at, atOnceMs))),
      'workers that claim within 100 ms': mean(rows.map(({ at }) => countWorkers(claims, at, soonMs))),
    };
  });
}

function between(statements: readonly LoggedStatement[], fromMs: number, untilMs: number): LoggedStatement[] {
  return statements.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
}

/** From the first claim after the commit on. A worker claims again when its claim found something: it counts once. */
function countWorkers(claims: readonly LoggedStatement[], committedAtMs: number, lengthMs: number): number {
  const first = claims.find(({ atMs }) => atMs >= committedAtMs)?.atMs ?? Number.NaN;
  return new Set(between(claims, first, first + lengthMs).map(({ workerProcessId }) => workerProcessId)).size;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
