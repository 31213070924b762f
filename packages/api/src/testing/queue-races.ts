import { randomUUID } from 'node:crypto';
import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { releaseRequestAttempts } from '@postrider/shared/database/queries/release-request-attempts';
import { renewLeases } from '@postrider/shared/database/queries/renew-leases';
import { updateSubscription } from '@postrider/shared/database/queries/update-subscription';
import { noPolicy } from '@postrider/shared/domain/delivery-policy';
import { eventually } from '@postrider/testkit/eventually';
import { insertApplication, insertBacklog, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { outcomeOf } from '@postrider/testkit/outcomes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { expect } from 'vitest';
import { sweepStrandedAttempts } from '../services/housekeeping/sweep.ts';
import { ingestGroup, prepareEvent } from '../services/ingest-events.ts';

/** Nobody waits to be told. */
export const silentNotifier = { notify() {}, flush: () => Promise.resolve() };

/** Every attempt that was ever in the queue, whoever put it there. */
const witnessSql = `
create table webhook.witness (request_attempt_id uuid primary key, subscription_id uuid not null, created_at timestamptz not null);
create function webhook.remember_attempt() returns trigger language plpgsql security definer as $$
begin
  insert into webhook.witness values (new.request_attempt_id, new.subscription_id, new.created_at);
  return null;
end $$;
create trigger remember_attempt after insert on webhook.open_attempt for each row execute function webhook.remember_attempt();
`;

/** A database that remembers every attempt. */
export async function createWitnessedDatabase(superuserUrl: string): Promise<TestDatabase> {
  const database = await createTestDatabase(superuserUrl);
  await database.admin.query({ text: witnessSql });
  return database;
}

/** Two subscriptions of one application with attempts that are due. */
export interface TwoBacklogs {
  readonly application: TestApplication;
  /** The one that is changed, and another that goes on. */
  readonly changedId: string;
  readonly otherId: string;
}

export async function givenTwoBacklogs(database: TestDatabase): Promise<TwoBacklogs> {
  const application = await insertApplication(database.admin);
  const changed = await insertSubscription(database.admin, application);
  const other = await insertSubscription(database.admin, application);
  await insertBacklog(database.admin, application, changed, { count: 400, payloadBytes: 16 });
  await insertBacklog(database.admin, application, other, { count: 100, payloadBytes: 16 });
  return { application, changedId: changed.subscriptionId, otherId: other.subscriptionId };
}

/** Claims, renews, gives back and records until it is told to stop; every statement as it is, so that a deadlock fails the test. */
export async function work(database: TestDatabase, goesOn: () => boolean, delivered: Set<string>): Promise<void> {
  while (goesOn()) {
    const leaseId = randomUUID();
    const claimed = await claimRequestAttempts(database.db, {
      poolId: 0,
      lane: 0,
      leaseId,
      leaseMs: 60_000,
      limit: 40,
      workerProcessId: 1,
      dueFromMicros: 0,
    });
    const held = claimed.attempts.map((attempt) => ({ ...attempt, leaseId }));
    const released = held.filter((_attempt, index) => index % 8 === 0);
    const recorded = held.filter((_attempt, index) => index % 8 !== 0);
    // Renewed while they are being recorded, as happens to what starts just then, and in another order.
    await Promise.all([
      renewLeases(database.db, recorded.toReversed(), 60_000),
      record(database, recorded.slice(0, 20), delivered),
      record(database, recorded.slice(20), delivered),
      releaseRequestAttempts(database.db, released),
    ]);
    await record(
      database,
      recorded.filter(({ requestAttemptId }) => !delivered.has(requestAttemptId)),
      delivered,
    );
  }
}

async function record(
  { db }: TestDatabase,
  attempts: readonly { applicationId: string; requestAttemptId: string; leaseId: string }[],
  delivered: Set<string>,
): Promise<void> {
  const outcomes = attempts.map((attempt, index) =>
    index % 3 === 0
      ? outcomeOf(attempt, { succeeded: false, httpCode: 500, errorName: 'E_HTTP', retryDelayMs: 0, retryCount: 1 })
      : outcomeOf(attempt),
  );
  const ids = await recordOutcomes(db, outcomes);
  for (const { requestAttemptId, succeeded } of outcomes) {
    if (succeeded && ids.has(requestAttemptId)) {
      delivered.add(requestAttemptId);
    }
  }
}

/** Claims until nothing more is due, and records that all of it was delivered. */
async function deliverAll({ db }: TestDatabase, delivered: Set<string>): Promise<void> {
  for (;;) {
    const leaseId = randomUUID();
    const base = { poolId: 0, lane: 0, leaseMs: 60_000, limit: 200, workerProcessId: 1, dueFromMicros: 0 };
    const { attempts } = await claimRequestAttempts(db, { ...base, leaseId });
    if (attempts.length === 0) {
      return;
    }
    const outcomes = attempts.map((attempt) => outcomeOf({ ...attempt, leaseId }));
    (await recordOutcomes(db, outcomes)).forEach((id) => delivered.add(id));
  }
}

/** Takes in events, ten at a time, until it is told to stop. */
export async function ingest({ db }: TestDatabase, { application }: TwoBacklogs, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    const events = Array.from({ length: 10 }, () =>
      prepareEvent({
        applicationId: application.applicationId,
        eventId: null,
        eventTypeName: application.eventTypeName,
        payload: Buffer.from('{}'),
        payloadContentType: 'application/json',
        occurredAt: new Date('2026-01-01T00:00:00Z'),
        labels: {},
        metadata: {},
        ip: null,
        applicationSecretId: null,
      }),
    );
    await ingestGroup(db, events, false);
  }
}

/** Disables or enables the one that is changed. */
export function setEnabled({ db }: TestDatabase, { changedId }: TwoBacklogs, isEnabled: boolean): Promise<void> {
  const target = { method: 'POST', url: 'http://127.0.0.1:9/', headers: {} };
  return updateSubscription(db, {
    subscriptionId: changedId,
    isEnabled,
    description: null,
    labels: {},
    metadata: {},
    target,
    poolId: 0,
    policy: noPolicy,
  });
}

/** What must have become of the attempts of the one that was changed. */
export type RaceEnd = 'delivered' | 'kept' | 'cancelled';

/**
 * Checks, when everybody has stopped, that sweeps put every attempt where it belongs, that each one that ever was is in the queue still or
 * ended once, that `delivered` is what the log says, and that the other subscription had no part in it. Empties the queue.
 */
export async function expectRaceToEnd(
  database: TestDatabase,
  { changedId, otherId }: TwoBacklogs,
  { delivered, end }: { readonly delivered: Set<string>; readonly end: RaceEnd },
): Promise<void> {
  const misplaced = { delivered: 'lane = 1', kept: 'lane = 0', cancelled: 'true' }[end];
  // What others held when a sweep came by is left to the next one.
  await eventually(async () => {
    await sweepStrandedAttempts(database.db, silentNotifier);
    return (await countOpen(database, changedId, misplaced)) === 0;
  });
  if (end === 'delivered') {
    await deliverAll(database, delivered);
  }
  const ends = await endsOf(database, changedId);
  expect(ends.length).toBeGreaterThanOrEqual(400);
  expect(ends.filter((attempt) => attempt.ends !== (attempt.is_open ? 0 : 1))).toEqual([]);
  expect(ends.filter((attempt) => attempt.is_successful !== delivered.has(attempt.request_attempt_id))).toEqual([]);
  expect(ends.some((attempt) => attempt.is_open)).toBe(end === 'kept');
  expect(ends.some((attempt) => attempt.is_cancelled)).toBe(end === 'cancelled');
  const otherEnds = await endsOf(database, otherId);
  expect(otherEnds.filter((attempt) => attempt.is_cancelled || attempt.ends !== (attempt.is_open ? 0 : 1))).toEqual([]);
  expect(await countOpen(database, otherId, 'lane = 1')).toBe(0);
  await database.admin.query({ text: 'truncate webhook.open_attempt, webhook.witness' });
}

/** Checks that nothing ever waited for itself in a circle. */
export async function expectNoDeadlocks({ admin }: TestDatabase): Promise<void> {
  const { rows } = await admin.query({
    text: 'select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()',
  });
  expect(rows).toEqual([{ deadlocks: 0 }]);
}

async function countOpen({ admin }: TestDatabase, subscriptionId: string, condition: string): Promise<number> {
  const { rowCount } = await admin.query({
    text: `select from webhook.open_attempt where subscription_id = $1 and ${condition}`,
    values: [subscriptionId],
  });
  return rowCount ?? 0;
}

/** What the database says of one subscription when everybody has stopped. */
export async function endsOf({ admin }: TestDatabase, subscriptionId: string) {
  const { rows } = await admin.query<{
    request_attempt_id: string;
    ends: number;
    is_open: boolean;
    is_successful: boolean;
    is_cancelled: boolean;
  }>({
    text: `select w.request_attempt_id, count(f.request_attempt_id)::integer as ends, bool_or(o.request_attempt_id is not null) as is_open,
                  coalesce(bool_or(f.succeeded_at is not null), false) as is_successful,
                  coalesce(bool_or(f.reason = 'cancelled'), false) as is_cancelled
           from webhook.witness w
           left join webhook.finished_attempt f on f.request_attempt_id = w.request_attempt_id
           left join webhook.open_attempt o on o.request_attempt_id = w.request_attempt_id
           where w.subscription_id = $1
           group by w.request_attempt_id`,
    values: [subscriptionId],
  });
  return rows;
}
