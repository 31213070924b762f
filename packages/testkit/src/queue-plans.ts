import { randomUUID } from 'node:crypto';
import type { DatabasePool } from '@postrider/shared/database/pool';
import type { ClaimedAttempt } from '@postrider/shared/database/claimed-attempt-row';
import { type ClaimedBatch, claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { type HastenedRow, hastenOpenAttempt } from '@postrider/shared/database/queries/hasten-open-attempt';
import { insertRetryAttempt } from '@postrider/shared/database/queries/insert-retry-attempt';
import { loadOldestDueAgeMs } from '@postrider/shared/database/queries/load-oldest-due-age';
import { moveOpenAttempts } from '@postrider/shared/database/queries/move-open-attempts';
import { pauseSubscription } from '@postrider/shared/database/queries/pause-subscription';
import { type OutcomeToRecord, recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { releaseRequestAttempts } from '@postrider/shared/database/queries/release-request-attempts';
import { renewLeases } from '@postrider/shared/database/queries/renew-leases';
import { outcomeOf } from './outcomes.ts';

/** How much of the queue a statement read, by the counters of PostgreSQL. */
export interface StatementCost {
  readonly statement:
    | 'age'
    | 'claim'
    | 'renew'
    | 'release'
    | 'record'
    | 'record_retried'
    | 'hasten'
    | 'retry'
    | 'move'
    /** Amid a mass change, when none of what it concerns is met, and when all that is due is passed over. */
    | 'claim_skipping'
    | 'claim_passing_over';
  /** Sequential scans of the queue: each reads all of it. */
  readonly sequentialScans: number;
  /** Rows of the queue that were fetched by indexes, per attempt. */
  readonly fetchedPerAttempt: number;
  readonly milliseconds: number;
}

const retried = { succeeded: false, errorName: 'E_HTTP', httpCode: 500, retryDelayMs: 3_600_000, retryCount: 1 } as const;
/** As a worker asks for them. */
const payloads = { receivedOnDayOf: Date.now(), bytesMax: 16_384 };
const repetitions = 10;
const batch = 100;

/**
 * Runs each statement on the queue ten times on one connection, prepared, so that from the sixth time on the plan is one that fits all
 * values, and reads what it cost. The database needs a pool with a single connection.
 */
export async function measureQueueStatements(db: DatabasePool): Promise<StatementCost[]> {
  const costs: StatementCost[] = [];
  let held: (ClaimedAttempt & { leaseId: string })[] = [];
  let dueUntilMicros: number | null = null;
  const claim = async (): Promise<void> => {
    const leaseId = randomUUID();
    const claimed = await claimRequestAttempts(db, {
      poolId: 0,
      lane: 0,
      leaseId,
      leaseMs: 600_000,
      limit: batch,
      workerProcessId: 1,
      dueFromMicros: 0,
      payloads,
    });
    dueUntilMicros = claimed.dueUntilMicros;
    held = [...held, ...claimed.attempts.map((attempt) => ({ ...attempt, leaseId }))];
  };
  const nextBatch = (round: number) => held.slice(round * batch, (round + 1) * batch);
  costs.push(await measure(db, 'age', async () => void (await loadOldestDueAgeMs(db))));
  costs.push(await measure(db, 'claim', claim));
  costs.push(await measure(db, 'renew', async (round) => void (await renewLeases(db, nextBatch(round), 600_000))));
  const recordEach = async (attempts: typeof held, outcome: Partial<OutcomeToRecord>): Promise<void> => {
    await recordOutcomes(
      db,
      attempts.map((attempt) => outcomeOf(attempt, outcome)),
    );
  };
  costs.push(await measure(db, 'record', (round) => recordEach(nextBatch(round).slice(0, batch / 4), {})));
  costs.push(await measure(db, 'record_retried', (round) => recordEach(nextBatch(round).slice(batch / 4, batch / 2), retried)));
  costs.push(await measure(db, 'release', async (round) => void (await releaseRequestAttempts(db, nextBatch(round).slice(batch / 2)))));
  costs.push(...(await measureChanges(db, held)));
  return [...costs, ...(await measureClaimsAmidChange(db, at(held, 0), dueUntilMicros ?? 0))];
}

/** Claims from where others ended, while the subscription that all attempts are of has an unsettled change. Their leases end at once. */
async function measureClaimsAmidChange(db: DatabasePool, pausable: ClaimedAttempt, dueUntilMicros: number): Promise<StatementCost[]> {
  let dueFromMicros = dueUntilMicros;
  const base = { poolId: 0, lane: 0, leaseMs: 0, limit: batch, workerProcessId: 1 };
  const skipped = {
    subscriptionIds: Array.from({ length: 100 }, () => randomUUID()),
    cancelledUntil: Array.from({ length: 100 }, () => 'infinity'),
    isPaused: Array.from({ length: 100 }, (_, index) => index % 2 === 0),
  };
  const claim = async (): Promise<ClaimedBatch> => {
    const claimed = await claimRequestAttempts(db, { ...base, leaseId: randomUUID(), dueFromMicros, skipped, payloads });
    dueFromMicros = claimed.dueUntilMicros ?? dueFromMicros;
    return claimed;
  };
  const skipping = await measure(db, 'claim_skipping', async () => {
    expectCounts(await claim(), { claimed: batch, passedOver: 0 });
  });
  await pauseSubscription(db, { ...pausable, isPaused: true });
  const passingOver = await measure(db, 'claim_passing_over', async () => {
    expectCounts(await claim(), { claimed: 0, passedOver: 1 });
  });
  await pauseSubscription(db, { ...pausable, isPaused: false });
  return [skipping, passingOver];
}

function expectCounts({ attempts, passedOver }: ClaimedBatch, expected: { claimed: number; passedOver: number }): void {
  if (attempts.length !== expected.claimed || passedOver.length !== expected.passedOver) {
    throw new Error(`${attempts.length} attempts were claimed, of ${passedOver.length} subscriptions attempts were passed over.`);
  }
}

/**
 * What users do to attempts that wait or are over: one more try, and a pause. The first quarter of each batch succeeded, the second is retried,
 * and the others wait.
 */
async function measureChanges(db: DatabasePool, attempts: readonly ClaimedAttempt[]): Promise<StatementCost[]> {
  const { applicationId, subscriptionId } = at(attempts, 0);
  const hasten = await measure(db, 'hasten', async (round) => {
    for (const attempt of attempts.slice(round * batch + batch / 2, (round + 1) * batch)) {
      expectOne(await hastenOpenAttempt(db, attempt, attempt.requestAttemptId));
    }
  });
  const retry = await measure(db, 'retry', async (round) => {
    for (const attempt of attempts.slice(round * batch, round * batch + batch / 4)) {
      expectOne(await insertRetryAttempt(db, attempt));
    }
  });
  await pauseSubscription(db, { applicationId, subscriptionId, isPaused: true });
  let dueFromMicros = 0;
  const move = await measure(db, 'move', async () => {
    const moved = await moveOpenAttempts(db, subscriptionId, { limit: batch, dueFromMicros });
    dueFromMicros = moved.dueUntilMicros ?? dueFromMicros;
  });
  await pauseSubscription(db, { applicationId, subscriptionId, isPaused: false });
  return [hasten, retry, move];
}

function at(attempts: readonly ClaimedAttempt[], index: number): ClaimedAttempt {
  const attempt = attempts[index];
  if (!attempt) {
    throw new Error(`Only ${attempts.length} attempts were claimed.`);
  }
  return attempt;
}

function expectOne(row: Pick<HastenedRow, 'request_attempt_id'> | undefined): void {
  if (!row) {
    throw new Error('The statement found no attempt.');
  }
}

async function measure(
  db: DatabasePool,
  statement: StatementCost['statement'],
  run: (round: number) => Promise<void>,
): Promise<StatementCost> {
  const before = await readCounters(db);
  const startedAt = performance.now();
  for (let round = 0; round < repetitions; round += 1) {
    await run(round);
  }
  const milliseconds = (performance.now() - startedAt) / repetitions;
  const after = await readCounters(db);
  return {
    statement,
    sequentialScans: after.sequentialScans - before.sequentialScans,
    fetchedPerAttempt: (after.fetched - before.fetched) / (repetitions * batch),
    milliseconds,
  };
}

/** Sequential scans of the queue and rows fetched by indexes, since the server started. */
export async function readCounters(db: DatabasePool): Promise<{ sequentialScans: number; fetched: number }> {
  await db.query({ text: 'select pg_stat_force_next_flush()' });
  const { rows } = await db.query<{ seq_scan: string; idx_tup_fetch: string }>({
    text: "select seq_scan, idx_tup_fetch from pg_stat_user_tables where relid = 'webhook.open_attempt'::regclass",
  });
  return { sequentialScans: Number(rows[0]?.seq_scan), fetched: Number(rows[0]?.idx_tup_fetch) };
}
