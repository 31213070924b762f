import type { Transaction } from '@postrider/shared/database/pool';
import type { OperationalOccurrence } from '@postrider/shared/domain/operational-event';
import { insertSubscription, type TestApplication, type TestSubscription } from '@postrider/testkit/factories';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { countRows, givenEvents, operationalEventsOf, type OperationalSetup, setUpOperational } from './testing/operational.ts';

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

function heldOf({ subscriptionId }: TestSubscription): OperationalOccurrence {
  return { kind: 'subscription_held', subscriptionId, reason: 'failing', holdUntil: new Date(Date.now() + 10_000) };
}

function recoveredOf({ subscriptionId }: TestSubscription): OperationalOccurrence {
  return { kind: 'subscription_recovered', subscriptionId };
}

function inTransaction(work: (transaction: Transaction) => Promise<void>): Promise<void> {
  return database.db.transaction(work);
}

test('a transition that is rolled back has no event, and one that is committed has one with the fan-out of every event', async () => {
  const events = givenEvents(setup);
  await events.prepare(database.db);
  const listening = await insertSubscription(database.admin, { ...operator, eventTypeName: 'postrider.subscription.held' });
  const rolledBack = inTransaction(async (transaction) => {
    await events.ingest(transaction, [heldOf(subscription)]);
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  expect(await operationalEventsOf(setup)).toEqual([]);

  await inTransaction((transaction) => events.ingest(transaction, [heldOf(subscription)]));
  events.announce();

  expect(await operationalEventsOf(setup)).toMatchObject([
    {
      event_type_name: 'postrider.subscription.held',
      labels: { application_id: tenant.applicationId },
      payload: { subscription_id: subscription.subscriptionId, target_host: 'hooks.example.com', reason: 'failing' },
    },
  ]);
  expect(await countRows(database, 'select from webhook.open_attempt where subscription_id = $1', [listening.subscriptionId])).toBe(1);
  expect(heard.announced).toEqual([0]);
});

test('nothing is told of the subscriptions of the very application that is told', async () => {
  const own = await insertSubscription(database.admin, operator);
  const events = givenEvents(setup);
  await inTransaction((transaction) => events.ingest(transaction, [heldOf(own), recoveredOf(own)]));
  expect(await operationalEventsOf(setup)).toEqual([]);
  expect(heard).toMatchObject({ ingested: 0, failed: 0 });
});

test('a subscription that goes to and fro is told of once a minute', async () => {
  const events = givenEvents(setup);
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
  const events = givenEvents(setup);
  await Promise.all([events.prepare(database.db), events.prepare(database.db), events.prepare(database.db)]);
  const made = "select from iam.audit_log where application_id = $1 and action = 'event_types.create' and actor_kind = 'system'";
  const active = "select from event.event_type where application_id = $1 and service = 'postrider' and deactivated_at is null";
  expect(await countRows(database, made, [operator.applicationId])).toBe(4);
  expect(await countRows(database, active, [operator.applicationId])).toBe(4);

  await database.admin.query({
    text: "update event.event_type set deactivated_at = statement_timestamp() where event_type_name = 'postrider.subscription.held'",
  });
  await inTransaction((transaction) => events.ingest(transaction, [heldOf(subscription)]));
  expect(await countRows(database, active, [operator.applicationId])).toBe(4);
  expect(await operationalEventsOf(setup)).toHaveLength(1);
});
