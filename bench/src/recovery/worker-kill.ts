import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '@postrider/testkit/eventually';
import type { TestDatabase } from '@postrider/testkit/test-database';
import type { BenchServer } from '../bench-database.ts';
import { withCleanUp } from '../clean-up.ts';
import { startFeed } from '../load/feed.ts';
import type { ResultColumn, Round } from '../result-table.ts';
import { countSecondDeliveries, isQueueEmpty, recoveryLeaseMs, setStage } from './stage.ts';

export interface WorkerKillOptions {
  readonly perSecond: number;
  /** Load before the kill. */
  readonly beforeMs: number;
}

/** An idle worker looks this often for leases that have run out. */
const pollMs = 1000;

export const workerKillColumns: readonly ResultColumn[] = [
  { name: 'held by it', digits: 0 },
  { name: 'of them in flight', digits: 0 },
  {
    name: 'seconds until the last was claimed again',
    digits: 1,
    target: { atMost: (recoveryLeaseMs + pollMs) / 1000 },
    isPlotted: true,
  },
  { name: 'second deliveries', digits: 0 },
  { name: 'of those in flight', digits: 2, target: { atMost: 1 } },
  { name: 'lag of others meanwhile, p99 ms', digits: 0 },
  { name: 'lost', digits: 0, target: { atMost: 0 } },
];

/** Kills one of two workers under a steady load, and waits until everything has been delivered. */
export function measureWorkerKill(server: BenchServer, { perSecond, beforeMs }: WorkerKillOptions): Promise<Round> {
  return withCleanUp(async (defer) => {
    const stage = await setStage(server, defer);
    const { database, receiver, workers } = stage;
    const feed = startFeed(database, { ...stage, perSecond });
    defer(() => feed.stop());
    await wait(beforeMs);

    const [victim] = workers;
    victim.kill('SIGKILL');
    const killedAt = Date.now();
    await victim.waitForExit();
    const held = await readHeld(database, victimNumber(victim.logs));
    const arrivedBefore = await receiver.arrivals();
    const inFlight = new Set(arrivedBefore.map(({ requestAttemptId }) => requestAttemptId).filter((id) => held.includes(id)));

    await wait(recoveryLeaseMs);
    await feed.stop();
    await eventually(() => isQueueEmpty(database), { intervalMs: 100 });
    const arrivals = await receiver.arrivals();
    const second = countSecondDeliveries(arrivals);
    return {
      'held by it': held.length,
      'of them in flight': inFlight.size,
      'seconds until the last was claimed again': (await readClaimedAgainMs(database, held, killedAt)) / 1000,
      'second deliveries': second,
      'of those in flight': second / Math.max(1, inFlight.size),
      'lag of others meanwhile, p99 ms': await readLagMs(database, killedAt),
      lost: feed.inserted() - new Set(arrivals.map(({ requestAttemptId }) => requestAttemptId)).size,
    };
  });
}

function victimNumber(logs: readonly Readonly<Record<string, unknown>>[]): number {
  return Number(logs.find((line) => line['event'] === 'worker.started')?.['workerProcessId']);
}

/** Attempts that a worker had claimed and not recorded. */
async function readHeld(database: TestDatabase, workerProcessId: number): Promise<string[]> {
  const { rows } = await database.admin.query<{ id: string }>({
    text: 'select request_attempt_id as id from webhook.open_attempt where worker_process_id = $1 and lease_id is not null',
    values: [workerProcessId],
  });
  return rows.map(({ id }) => id);
}

async function readClaimedAgainMs(database: TestDatabase, ids: readonly string[], sinceMs: number): Promise<number> {
  const { rows } = await database.admin.query<{ ms: number | null }>({
    text: `select extract(epoch from max(picked_at))::double precision * 1000 - $2::double precision as ms
           from webhook.finished_attempt where request_attempt_id = any ($1::uuid[])`,
    values: [ids, sinceMs],
  });
  return rows[0]?.ms ?? 0;
}

/** Of attempts that came due after the kill: the other worker had them to itself. */
async function readLagMs(database: TestDatabase, sinceMs: number): Promise<number> {
  const { rows } = await database.admin.query<{ ms: number }>({
    text: `select percentile_cont(0.99) within group (order by extract(epoch from picked_at - due_at)::double precision * 1000) as ms
           from webhook.finished_attempt where due_at > to_timestamp($1::double precision / 1000)`,
    values: [sinceMs],
  });
  return rows[0]?.ms ?? Number.NaN;
}
