import type { Transaction } from '@postrider/shared/database/pool';
import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { registerWorkerProcess } from '@postrider/shared/database/queries/register-worker-process';
import { newId } from '@postrider/shared/domain/ids';
import type { OperationalOccurrence } from '@postrider/shared/domain/operational-event';
import {
  insertApplication,
  insertBacklog,
  insertSubscription,
  type TestApplication,
  type TestSubscription,
} from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { createOperationalEvents, type OperationalEvents } from './operational-events.ts';
import { createOutcomeStore } from './outcome-store.ts';
import type { RecordedOutcome } from './recorder.ts';

let database: TestDatabase;
let operator: TestApplication;
let tenant: TestApplication;
let subscription: TestSubscription;
let heard: { ingested: number; repeated: number; failed: number; causes: unknown[]; announced: number[] };

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  operator = await insertApplication(database.admin);
  tenant = await insertApplication(database.admin);
  subscription = await insertSubscription(database.admin, tenant, { url: 'https://hooks.example.com/in?token=s3cret' });
  heard = { ingested: 0, repeated: 0, failed: 0, causes: [], announced: [] };
});
afterEach(() => database.drop());

function givenEvents(applicationId: string | null = operator.applicationId, statementMs = 5000): OperationalEvents {
  return createOperationalEvents({
    applicationId,
    notifier: { notify: (pools) => void heard.announced.push(...pools) },
    report: {
      ingested: (count) => void (heard.ingested += count),
      repeated: (count) => void (heard.repeated += count),
      failed({ count, cause }) {
        heard.failed += count;
        heard.causes.push(cause);
      },
    },
    statementMs,
  });
}

function givenStore(events: OperationalEvents) {
  return createOutcomeStore({ db: database.db, operationalEvents: events, report: { subscriptionsDisabled() {} } });
}

function heldOf({ subscriptionId }: TestSubscription): OperationalOccurrence {
  return { kind: 'subscription_held', subscriptionId, reason: 'failing', holdUntil: new Date(Date.now() + 10_000) };
}

function recoveredOf({ subscriptionId }: TestSubscription): OperationalOccurrence {
  return { kind: 'subscription_recovered', subscriptionId };
}

/** Attempts of a subscription whose retries are used up, leased and ready to be recorded. */
async function givenExhausted(application: TestApplication, to: TestSubscription, count = 1) {
  const { subscriptionId } = to;
  await insertBacklog(database.admin, application, to, { count, payloadBytes: 64 });
  const leaseId = newId();
  const workerProcessId = await registerWorkerProcess(database.db, { name: 'test', version: '0', retriesMax: 3 });
  const claim = { poolId: 0, lane: 0, leaseId, leaseMs: 60_000, limit: count, workerProcessId, dueFromMicros: 0 };
  const { attempts } = await claimRequestAttempts(database.db, claim);
  return attempts.map(
    (attempt): RecordedOutcome => ({
      applicationId: attempt.applicationId,
      requestAttemptId: attempt.requestAttemptId,
      leaseId,
      subscriptionId,
      succeeded: false,
      elapsedMs: 1,
      errorName: 'E_HTTP',
      httpCode: 500,
      responseHeaders: null,
      responseBody: null,
      responseBodyTruncated: false,
      retryDelayMs: null,
      retryCount: null,
      reason: 'retries_exhausted',
      disablesSubscription: false,
      exhausted: { eventId: attempt.eventId, eventTypeName: attempt.eventTypeName, retryCount: 3 },
    }),
  );
}

async function operationalEvents() {
  const { rows } = await database.admin.query<{ event_type_name: string; labels: unknown; payload: Buffer }>({
    text: 'select event_type_name, labels, payload from event.event where application_id = $1 order by event_type_name, event_id',
    values: [operator.applicationId],
  });
  return rows.map(({ payload, ...row }) => ({ ...row, payload: JSON.parse(payload.toString()) }));
}

async function countOf(text: string, values: readonly unknown[] = []): Promise<number> {
  const { rowCount } = await database.admin.query({ text, values });
  return rowCount ?? 0;
}

const ended = 'select from webhook.finished_attempt where subscription_id = $1';

function inTransaction(work: (transaction: Transaction) => Promise<void>): Promise<void> {
  return database.db.transaction(work);
}

test('a transition that is rolled back has no event, and one that is committed has one with the fan-out of every event', async () => {
  const events = givenEvents();
  await events.prepare(database.db);
  const listening = await insertSubscription(database.admin, { ...operator, eventTypeName: 'postrider.subscription.held' });
  const rolledBack = inTransaction(async (transaction) => {
    await events.ingest(transaction, [heldOf(subscription)]);
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  expect(await operationalEvents()).toEqual([]);

  await inTransaction((transaction) => events.ingest(transaction, [heldOf(subscription)]));
  events.announce();

  expect(await operationalEvents()).toMatchObject([
    {
      event_type_name: 'postrider.subscription.held',
      labels: { application_id: tenant.applicationId },
      payload: { subscription_id: subscription.subscriptionId, target_host: 'hooks.example.com', reason: 'failing' },
    },
  ]);
  expect(await countOf('select from webhook.open_attempt where subscription_id = $1', [listening.subscriptionId])).toBe(1);
  expect(heard.announced).toEqual([0]);
});

test('a subscription that is gone is disabled and told of in one transaction, once', async () => {
  const store = givenStore(givenEvents());
  await store.disableSubscriptions([subscription.subscriptionId]);
  await store.disableSubscriptions([subscription.subscriptionId]);
  expect(await operationalEvents()).toMatchObject([
    {
      event_type_name: 'postrider.subscription.disabled',
      payload: { subscription_id: subscription.subscriptionId, reason: 'gone', failing_since: null },
    },
  ]);
});

test('of exhausted deliveries those are told that were recorded', async () => {
  const store = givenStore(givenEvents());
  const [first, second] = await givenExhausted(tenant, subscription, 2);
  if (!first || !second) {
    throw new Error('Two attempts were wanted.');
  }
  const recorded = await store.record([first, { ...second, leaseId: newId() }]);
  // As after a commit whose answer was lost.
  const again = await store.record([first]);

  expect([...recorded]).toEqual([first.requestAttemptId]);
  expect(again.size).toBe(0);
  expect(await operationalEvents()).toMatchObject([
    {
      event_type_name: 'postrider.delivery.exhausted',
      payload: { request_attempt_id: first.requestAttemptId, retry_count: 3, error_name: 'E_HTTP', http_code: 500 },
    },
  ]);
  expect(heard).toMatchObject({ ingested: 1, failed: 0 });
});

test('nothing is told of the subscriptions of the very application that is told', async () => {
  const own = await insertSubscription(database.admin, operator);
  const events = givenEvents();
  const store = givenStore(events);
  const outcomes = await givenExhausted(operator, own);
  const before = await operationalEvents();

  await store.record(outcomes);
  await store.disableSubscriptions([own.subscriptionId]);
  await inTransaction((transaction) => events.ingest(transaction, [heldOf(own), recoveredOf(own)]));

  expect(await countOf(ended, [own.subscriptionId])).toBe(1);
  expect(await countOf('select from webhook.subscription where disabled_at is not null')).toBe(1);
  expect(await operationalEvents()).toEqual(before);
  expect(heard).toMatchObject({ ingested: 0, failed: 0 });
});

test.each([
  ['does not exist', () => newId()],
  [
    'is deleted',
    async () => {
      await database.admin.query({
        text: 'update event.application set deleted_at = statement_timestamp() where application_id = $1',
        values: [operator.applicationId],
      });
      return operator.applicationId;
    },
  ],
])('an application that %s keeps nothing from being recorded or disabled', async (_name, applicationIdOf) => {
  const events = givenEvents(await applicationIdOf());
  const store = givenStore(events);
  const outcomes = await givenExhausted(tenant, subscription, 3);

  await events.prepare(database.db);
  const recorded = await store.record(outcomes);
  await store.disableSubscriptions([subscription.subscriptionId]);

  expect(recorded.size).toBe(3);
  expect(await countOf('select from webhook.subscription where disabled_at is not null')).toBe(1);
  expect(await countOf('select from event.event_type where service = $1', ['postrider'])).toBe(0);
  expect(heard).toMatchObject({ ingested: 0, failed: 4 });
  expect(heard.causes).toHaveLength(3);
});

test('a missing partition is made inside the transaction', async () => {
  const store = givenStore(givenEvents());
  const outcomes = await givenExhausted(tenant, subscription);
  const { rows } = await database.admin.query<{ name: string }>({
    text: "select 'event.event_' || to_char(statement_timestamp() at time zone 'UTC', 'YYYYMMDD') as name",
  });
  await database.admin.query({ text: `drop table ${rows[0]?.name}` });

  const recorded = await store.record(outcomes);

  expect(recorded.size).toBe(1);
  expect(await operationalEvents()).toHaveLength(1);
  expect(heard).toMatchObject({ ingested: 1, failed: 0 });
});

test('what PostgreSQL refuses or never answers is given up, and the outcome is recorded without it', async () => {
  const store = givenStore(givenEvents(operator.applicationId, 200));
  const [refused, waiting] = await givenExhausted(tenant, subscription, 2);
  if (!refused || !waiting) {
    throw new Error('Two attempts were wanted.');
  }
  await database.admin.query({
    text: "alter table event.event add constraint refuses check (event_type_name not like 'postrider.%') not valid",
  });
  await store.record([refused]);
  await database.admin.query({ text: 'alter table event.event drop constraint refuses' });
  await database.admin.transaction(async (locking) => {
    await locking.query({ text: 'lock table event.event_key in exclusive mode' });
    await store.record([waiting]);
  });

  expect(await countOf(ended, [subscription.subscriptionId])).toBe(2);
  expect(await operationalEvents()).toEqual([]);
  expect(heard).toMatchObject({ ingested: 0, failed: 2 });
});

test('a subscription that goes to and fro is told of once a minute', async () => {
  const events = givenEvents();
  const other = await insertSubscription(database.admin, tenant);
  const goesToAndFro = [heldOf(subscription), recoveredOf(subscription), heldOf(other)];
  for (let round = 0; round < 5; round += 1) {
    await inTransaction((transaction) => events.ingest(transaction, goesToAndFro));
  }
  const { rows } = await database.admin.query<{ told: number; minutes: number }>({
    text: `select count(*)::integer as told, count(distinct date_trunc('minute', occurred_at))::integer as minutes
           from event.event where application_id = $1`,
    values: [operator.applicationId],
  });
  // Rounds on both sides of a full minute are told of in each.
  expect(rows[0]?.told).toBe((rows[0]?.minutes ?? 0) * 3);
  expect(heard.ingested + heard.repeated).toBe(15);
});

test('event types are made once by workers that start together, by the system as the audit log says, and again when one was deactivated', async () => {
  const events = givenEvents();
  await Promise.all([events.prepare(database.db), events.prepare(database.db), events.prepare(database.db)]);
  const made = "select from iam.audit_log where application_id = $1 and action = 'event_types.create' and actor_kind = 'system'";
  const active = "select from event.event_type where application_id = $1 and service = 'postrider' and deactivated_at is null";
  expect(await countOf(made, [operator.applicationId])).toBe(4);
  expect(await countOf(active, [operator.applicationId])).toBe(4);

  await database.admin.query({
    text: "update event.event_type set deactivated_at = statement_timestamp() where event_type_name = 'postrider.subscription.held'",
  });
  await inTransaction((transaction) => events.ingest(transaction, [heldOf(subscription)]));
  expect(await countOf(active, [operator.applicationId])).toBe(4);
  expect(await operationalEvents()).toHaveLength(1);
});

test('without an application nothing is told', async () => {
  const events = givenEvents(null);
  const store = givenStore(events);
  await events.prepare(database.db);
  await store.record(await givenExhausted(tenant, subscription));
  await store.disableSubscriptions([subscription.subscriptionId]);
  events.announce();

  expect(await countOf(ended, [subscription.subscriptionId])).toBe(1);
  expect(await countOf("select from event.event where event_type_name like 'postrider.%'")).toBe(0);
  expect(heard.announced).toEqual([]);
});
