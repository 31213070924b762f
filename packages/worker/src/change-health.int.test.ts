import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { releaseRequestAttempts } from '@postrider/shared/database/queries/release-request-attempts';
import { newId } from '@postrider/shared/domain/ids';
import { insertApplication, insertBacklog, insertSubscription, type TestSubscription } from '@postrider/testkit/factories';
import { outcomeOf } from '@postrider/testkit/outcomes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { changeHealth, type ChangeHealthOptions } from './change-health.ts';

let database: TestDatabase;
let subscription: TestSubscription;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  const application = await insertApplication(database.admin);
  subscription = await insertSubscription(database.admin, application);
  await insertBacklog(database.admin, application, subscription, { count: 3, payloadBytes: 16 });
});
afterEach(() => database.drop());

function change(...signals: Parameters<typeof changeHealth>[2]) {
  const options: ChangeHealthOptions = {
    db: database.db,
    operationalEvents: { ingest: () => Promise.resolve() },
    capDefault: 1,
    slotsTotal: 4,
    disableAfterMs: 60_000,
    workerProcessId: () => 1,
    ownedForMs: 60_000,
    random: () => 0,
    now: () => 0,
  };
  return changeHealth(options, subscription.subscriptionId, signals);
}

async function claimAll() {
  const leaseId = newId();
  const claim = { poolId: 0, lane: 0, leaseId, leaseMs: 60_000, limit: 10, workerProcessId: 1, dueFromMicros: 0 };
  const { attempts } = await claimRequestAttempts(database.db, claim);
  return attempts.map((attempt) => ({ ...attempt, leaseId }));
}

test('a subscription stays parked while any of its attempts is leased or due, and leaves the parked lane when none is', async () => {
  const attempts = await claimAll();
  const drained = { kind: 'drained', isSlow: false } as const;

  await change({ kind: 'overloaded', reason: 'over_cap' });
  expect(await change(drained)).toMatchObject({ kind: 'changed', after: { parkReason: 'over_cap' } });
  await releaseRequestAttempts(database.db, attempts.slice(0, 1));
  await recordOutcomes(
    database.db,
    attempts.slice(1).map((attempt) => outcomeOf(attempt)),
  );
  expect(await change(drained)).toMatchObject({ kind: 'changed', after: { parkReason: 'over_cap' } });

  await database.admin.query({ text: `update webhook.open_attempt set due_at = now() + interval '1 hour'` });
  expect(await change(drained)).toMatchObject({ kind: 'changed', after: { parkReason: null } });
});
