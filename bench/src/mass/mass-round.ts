import { setTimeout as wait } from 'node:timers/promises';
import { ApiClient, type ApplicationSetup, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { insertBacklog } from '@postrider/testkit/factories';
import {
  type ApiProcess,
  slotsForOneSubscription,
  startApi,
  startWorker,
  type WorkerProcess,
} from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import type { BenchServer } from '../bench-database.ts';
import { claimTimesBetween, readClaimTimes } from '../load/claim-times.ts';
import { type ClockedReceiver, startClockedReceiver } from './clocked-receiver.ts';
import { type MassChange, resume } from './mass-changes.ts';
import { startTraffic, type Traffic } from './traffic.ts';

/** Of a steady customer, and of the one with the backlog: slow enough to have all slots in flight when the change comes. */
const steadyPerSecond = 100;
const backlogDelayMs = 500;
const slots = 20;
/** Rows that one statement seeds: more would share its memory. */
const seedRows = 100_000;
const hourMs = 3_600_000;

/** One mass change, measured once. */
export interface MassMeasurement {
  readonly answerMs: number;
  /** From the answer to the arrival of the last request of what was changed; 0 when none came after it. */
  readonly lastStartMs: number;
  /** Attempts that the API still called waiting or pending right after the answer, or failed when they were to be kept, by the view. */
  readonly untrue: number;
  readonly settledMs: number;
  /** Requests of the others per second that arrived, of those offered: without the backlog, with it, while it is worked off, and after. */
  readonly alone: number;
  readonly backlogged: number;
  readonly during: number;
  readonly after: number;
  /** From the answer to the first request of the others. */
  readonly othersResumeMs: number;
  readonly claimMeanMs: number;
  readonly claimP99Ms: number;
  readonly claimDuringMeanMs: number;
  readonly claimDuringP99Ms: number;
  readonly deadlocks: number;
  /** Requests in flight at the answer, and how many of them the log has with the answer that they got. */
  readonly inFlight: number;
  readonly inFlightRecorded: number;
  /** Of what was paused; null for what ended. */
  readonly resume: ResumeMeasurement | null;
}

export interface ResumeMeasurement {
  readonly answerMs: number;
  /** From the answer to the first request. */
  readonly firstStartMs: number;
  /** From the answer until no row is parked. */
  readonly releasedMs: number;
}

export interface MassRound {
  readonly change: MassChange;
  readonly rows: number;
  readonly phaseMs: number;
}

/** Everything from an empty database on: traffic, a backlog of which a quarter is due, the change, and until all of it is worked off. */
export async function measureMassChange(server: BenchServer, round: MassRound): Promise<MassMeasurement> {
  const database = await server.createDatabase();
  const receiver = await startClockedReceiver({ '/backlog': backlogDelayMs });
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  const workers = await Promise.all(
    [1, 2].map(() => startWorker({ databaseUrl: database.runtimeUrl, args: slotsForOneSubscription(slots) })),
  );
  try {
    return await measure({ database, receiver, api, workers, ...round });
  } finally {
    for (const managed of [...workers, api]) {
      managed.kill('SIGTERM');
      await managed.waitForExit();
    }
    await receiver.close();
    await database.drop();
  }
}

interface Stage extends MassRound {
  readonly database: TestDatabase;
  readonly receiver: ClockedReceiver;
  readonly api: ApiProcess;
  readonly workers: readonly WorkerProcess[];
}

async function measure(stage: Stage): Promise<MassMeasurement> {
  const { database, receiver, api, workers, change, phaseMs } = stage;
  const master = new ApiClient(api.url);
  const other = await setUpApplication(master);
  await subscribe(other, `${receiver.url}/other`);
  const setup = await setUpApplication(master);
  const { subscriptionId } = await subscribe(setup, `${receiver.url}/backlog`);

  const alone = await measureAlone(stage, other);
  await seed(stage, setup, subscriptionId);
  const traffic = startTraffic(other, steadyPerSecond);
  const backloggedFrom = Date.now();
  await wait(phaseMs);
  const claimsBefore = await readClaimTimes(workers);

  const calledAt = Date.now();
  await change.make({ master, setup, subscriptionId, url: `${receiver.url}/backlog` });
  const answeredAt = Date.now();
  const untrue = await countUntrue(database, subscriptionId, change);
  await eventually(() => isSettled(database, subscriptionId, change.endsAttempts ? null : 0), { timeoutMs: 3_600_000, intervalMs: 500 });
  const settledAt = Date.now();
  const claimsAfter = await readClaimTimes(workers);
  await wait(phaseMs);
  const endedAt = Date.now();
  await traffic.stop();

  const during = claimTimesBetween(claimsBefore, claimsAfter);
  const backlogArrivals = receiver.arrivals('/backlog');
  const inFlight = backlogArrivals.filter((at) => at > answeredAt - backlogDelayMs && at <= answeredAt).length;
  const measurement = {
    answerMs: answeredAt - calledAt,
    lastStartMs: Math.max(0, (backlogArrivals.at(-1) ?? 0) - answeredAt),
    untrue,
    settledMs: settledAt - answeredAt,
    alone: alone.share,
    backlogged: shareOf(stage, traffic, backloggedFrom, calledAt),
    during: shareOf(stage, traffic, answeredAt, settledAt),
    after: shareOf(stage, traffic, settledAt, endedAt),
    othersResumeMs: (receiver.arrivals('/other').find((at) => at > answeredAt) ?? Number.NaN) - answeredAt,
    claimMeanMs: alone.claims.meanMs,
    claimP99Ms: alone.claims.p99Ms,
    claimDuringMeanMs: during.meanMs,
    claimDuringP99Ms: during.p99Ms,
    inFlight,
    inFlightRecorded: inFlight - (backlogArrivals.length - (await countSuccessful(database, subscriptionId))),
  };
  const resumed = change.endsAttempts ? null : await measureResume(stage, setup, subscriptionId);
  return { ...measurement, resume: resumed, deadlocks: await countDeadlocks(stage) };
}

async function measureResume({ database, receiver }: Stage, setup: ApplicationSetup, subscriptionId: string): Promise<ResumeMeasurement> {
  const calledAt = Date.now();
  await resume({ setup, subscriptionId });
  const answeredAt = Date.now();
  await eventually(() => isSettled(database, subscriptionId, 1), { timeoutMs: 3_600_000, intervalMs: 500 });
  const releasedAt = Date.now();
  const first = await eventually(() => receiver.arrivals('/backlog').find((at) => at > calledAt));
  return { answerMs: answeredAt - calledAt, firstStartMs: Math.max(0, first - answeredAt), releasedMs: releasedAt - answeredAt };
}

async function measureAlone(stage: Stage, other: ApplicationSetup) {
  const before = await readClaimTimes(stage.workers);
  const from = Date.now();
  const traffic = startTraffic(other, steadyPerSecond);
  await wait(stage.phaseMs);
  const share = shareOf(stage, traffic, from, Date.now());
  await traffic.stop();
  return { share, claims: claimTimesBetween(before, await readClaimTimes(stage.workers)) };
}

/** Three quarters wait for a retry, a quarter is due: what a receiver that was away for some time leaves behind. */
async function seed({ database, rows }: Stage, setup: ApplicationSetup, subscriptionId: string): Promise<void> {
  const application = { ...setup, eventTypeName: setup.eventType };
  const due = Math.floor(rows / 4);
  for (const [count, dueInMs] of [
    [rows - due, hourMs],
    [due, 0],
  ] as const) {
    for (let done = 0; done < count; done += seedRows) {
      const chunk = { count: Math.min(seedRows, count - done), payloadBytes: 64, dueInMs };
      await insertBacklog(database.admin, application, { subscriptionId, secret: '' }, chunk);
    }
  }
  await database.admin.query({ text: 'vacuum analyze webhook.open_attempt' });
  await database.admin.query({ text: 'checkpoint' });
}

/** Requests of the others that arrived in a period, of the events that were posted in it. More than 1 catches up with what waited. */
function shareOf({ receiver }: Stage, traffic: Traffic, from: number, until: number): number {
  const count = (times: readonly number[]): number => times.filter((at) => at > from && at <= until).length;
  return count(receiver.arrivals('/other')) / count(traffic.posted);
}

async function countUntrue(database: TestDatabase, subscriptionId: string, { endsAttempts }: MassChange): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>({
    text: 'select count(*)::integer as count from webhook.request_attempt where subscription_id = $1 and status = any ($2)',
    values: [subscriptionId, endsAttempts ? ['waiting', 'pending'] : ['failed']],
  });
  return rows[0]?.count ?? Number.NaN;
}

/** Nothing of it is in a lane, null for all, nor in flight from there. Asked by index, so as not to take part in what is measured. */
async function isSettled(database: TestDatabase, subscriptionId: string, lane: number | null): Promise<boolean> {
  const { rowCount } = await database.admin.query(
    lane === null
      ? { text: 'select from webhook.open_attempt where subscription_id = $1 limit 1', values: [subscriptionId] }
      : {
          text: 'select from webhook.open_attempt where pool_id = 0 and lane = $2 and subscription_id = $1 order by due_at limit 1',
          values: [subscriptionId, lane],
        },
  );
  return rowCount === 0;
}

async function countDeadlocks({ database, api, workers }: Stage): Promise<number> {
  const { rows } = await database.admin.query<{ deadlocks: number }>({
    text: 'select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()',
  });
  const logged = [api, ...workers].flatMap(({ logs }) => logs.filter((line) => /40P01|deadlock/i.test(JSON.stringify(line))));
  return Math.max(rows[0]?.deadlocks ?? Number.NaN, logged.length);
}

async function countSuccessful(database: TestDatabase, subscriptionId: string): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>({
    text: 'select count(*)::integer as count from webhook.finished_attempt where subscription_id = $1 and succeeded_at is not null',
    values: [subscriptionId],
  });
  return rows[0]?.count ?? Number.NaN;
}
