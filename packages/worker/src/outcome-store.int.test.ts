import { newId } from '@postrider/shared/domain/ids';
import { insertSubscription, type TestApplication, type TestSubscription } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OperationalEvents } from './operational-events.ts';
import { createOutcomeStore } from './outcome-store.ts';
import {
  countRows,
  givenEvents,
  givenExhausted,
  operationalEventsOf,
  type OperationalSetup,
  setUpOperational,
} from './testing/operational.ts';

let setup: OperationalSetup;
let database: TestDatabase;
let operator: TestApplication;
let tenant: TestApplication;
let subscription: TestSubscription;
let heard: OperationalSetup['heard'];

beforeEach(async () => {
  setup = await setUpOperational();
  ({ database, operator, tenant, subscription, heard } = setup);
});
afterEach(() => database.drop());

function givenStore(events: OperationalEvents) {
  return createOutcomeStore({ db: database.db, operationalEvents: events, report: { subscriptionsDisabled() {} } });
}

const ended = 'select from webhook.finished_attempt where subscription_id = $1';

/** Has every transaction that changes the table fail at its commit, when all its statements have succeeded. */
async function failCommitsOf(table: string, change: 'update' | 'delete'): Promise<void> {
  await database.admin.query({
    text: `create function refuse() returns trigger language plpgsql as $$ begin raise 'no commit'; end $$;
           create constraint trigger refuse after ${change} on ${table} deferrable initially deferred for each row execute function refuse()`,
  });
}

test('a subscription that could not be disabled after all is not told of', async () => {
  const store = givenStore(givenEvents(setup));
  await failCommitsOf('webhook.subscription', 'update');
  await expect(store.disableSubscriptions([subscription.subscriptionId])).rejects.toThrow('no commit');
  expect(heard.ingested).toBe(1);
  expect(await operationalEventsOf(setup)).toEqual([]);
});

test('an outcome that could not be recorded after all is not told of', async () => {
  const store = givenStore(givenEvents(setup));
  const outcomes = await givenExhausted(database, tenant, subscription);
  await failCommitsOf('webhook.open_attempt', 'delete');
  await expect(store.record(outcomes)).rejects.toThrow('no commit');
  expect(heard.ingested).toBe(1);
  expect(await operationalEventsOf(setup)).toEqual([]);
  expect(heard.announced).toEqual([]);
});

test('a subscription that is gone is told of once', async () => {
  const store = givenStore(givenEvents(setup));
  await store.disableSubscriptions([subscription.subscriptionId]);
  await store.disableSubscriptions([subscription.subscriptionId]);
  expect(await operationalEventsOf(setup)).toMatchObject([
    {
      event_type_name: 'postrider.subscription.disabled',
      payload: { subscription_id: subscription.subscriptionId, reason: 'gone', failing_since: null },
    },
  ]);
});

test('of exhausted deliveries those are told that were recorded', async () => {
  const store = givenStore(givenEvents(setup));
  const [first, second] = await givenExhausted(database, tenant, subscription, 2);
  if (!first || !second) {
    throw new Error('Two attempts were wanted.');
  }
  const recorded = await store.record([first, { ...second, leaseId: newId() }]);
  // As after a commit whose answer was lost.
  const again = await store.record([first]);

  expect([...recorded]).toEqual([first.requestAttemptId]);
  expect(again.size).toBe(0);
  expect(await operationalEventsOf(setup)).toMatchObject([
    {
      event_type_name: 'postrider.delivery.exhausted',
      payload: { request_attempt_id: first.requestAttemptId, retry_count: 3, error_name: 'E_HTTP', http_code: 500 },
    },
  ]);
  expect(heard).toMatchObject({ ingested: 1, failed: 0 });
});

test('nothing is told of the subscriptions of the very application that is told', async () => {
  const own = await insertSubscription(database.admin, operator);
  const events = givenEvents(setup);
  const store = givenStore(events);
  const outcomes = await givenExhausted(database, operator, own);
  const before = await operationalEventsOf(setup);
  expect(events.concerns(operator.applicationId)).toBe(false);

  await store.record(outcomes);
  await store.disableSubscriptions([own.subscriptionId]);

  expect(await countRows(database, ended, [own.subscriptionId])).toBe(1);
  expect(await countRows(database, 'select from webhook.subscription where disabled_at is not null')).toBe(1);
  expect(await operationalEventsOf(setup)).toEqual(before);
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
  const events = givenEvents(setup, { applicationId: await applicationIdOf() });
  const store = givenStore(events);
  const outcomes = await givenExhausted(database, tenant, subscription, 3);

  await events.prepare(database.db);
  const recorded = await store.record(outcomes);
  await store.disableSubscriptions([subscription.subscriptionId]);

  expect(recorded.size).toBe(3);
  expect(await countRows(database, 'select from webhook.subscription where disabled_at is not null')).toBe(1);
  expect(await countRows(database, 'select from event.event_type where service = $1', ['postrider'])).toBe(0);
  expect(heard).toMatchObject({ ingested: 0, failed: 4 });
  expect(heard.causes).toHaveLength(3);
});

test('a missing partition is made inside the transaction', async () => {
  const store = givenStore(givenEvents(setup));
  const outcomes = await givenExhausted(database, tenant, subscription);
  const { rows } = await database.admin.query<{ name: string }>({
    text: "select 'event.event_' || to_char(statement_timestamp() at time zone 'UTC', 'YYYYMMDD') as name",
  });
  await database.admin.query({ text: `drop table ${rows[0]?.name}` });

  const recorded = await store.record(outcomes);

  expect(recorded.size).toBe(1);
  expect(await operationalEventsOf(setup)).toHaveLength(1);
  expect(heard).toMatchObject({ ingested: 1, failed: 0 });
});

test('what PostgreSQL refuses or never answers is given up, and the outcome is recorded without it', async () => {
  const store = givenStore(givenEvents(setup, { statementMs: 200 }));
  const [refused, waiting] = await givenExhausted(database, tenant, subscription, 2);
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

  expect(await countRows(database, ended, [subscription.subscriptionId])).toBe(2);
  expect(await operationalEventsOf(setup)).toEqual([]);
  expect(heard).toMatchObject({ ingested: 0, failed: 2 });
});

test('without an application nothing is told', async () => {
  const events = givenEvents(setup, { applicationId: null });
  const store = givenStore(events);
  await events.prepare(database.db);
  await store.record(await givenExhausted(database, tenant, subscription));
  await store.disableSubscriptions([subscription.subscriptionId]);
  events.announce();

  expect(await countRows(database, ended, [subscription.subscriptionId])).toBe(1);
  expect(await countRows(database, "select from event.event where event_type_name like 'postrider.%'")).toBe(0);
  expect(heard.announced).toEqual([]);
});
