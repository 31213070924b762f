import { findRequestAttempt } from '@postrider/shared/database/queries/find-request-attempt';
import { listDeliveries } from '@postrider/shared/database/queries/list-deliveries';
import { idMin } from '@postrider/shared/domain/ids';
import { type History, insertHistory } from '@postrider/testkit/history';
import { countRowsRead } from '@postrider/testkit/list-plans';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type EventsPageRequest, listEventsPage } from './list-events-page.ts';
import { listRequestAttemptsPage, type RequestAttemptsPageRequest } from './list-request-attempts-page.ts';

const events = 50_000;
const days = 10;
/** Subscriptions in trouble: a list looks up those of its page. */
const troubled = 5000;

let database: TestDatabase;
let history: History;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  history = await insertHistory(database.admin, { events, days, payloadBytes: 100 });
  await database.admin.query({
    text: `insert into webhook.subscription_health (subscription_id, application_id, budget, failures, throttling, holds)
           select coalesce(s.subscription_id, gen_random_uuid()), $1, 1, 1, 0, 0
           from generate_series(1, $2::integer) i
           left join (select subscription_id, row_number() over () as i from webhook.subscription) s using (i)`,
    values: [history.application.applicationId, troubled],
  });
});
afterAll(() => database.drop());

function eventsRequest(changes: Partial<EventsPageRequest> = {}): EventsPageRequest {
  return {
    applicationId: history.application.applicationId,
    eventTypeNames: null,
    statuses: null,
    since: null,
    until: null,
    labels: {},
    after: null,
    skip: 0,
    size: 100,
    ...changes,
  };
}

function attemptsRequest(changes: Partial<RequestAttemptsPageRequest> = {}): RequestAttemptsPageRequest {
  return {
    applicationId: history.application.applicationId,
    eventId: null,
    subscriptionId: null,
    eventTypeNames: null,
    minCreatedAt: null,
    maxCreatedAt: null,
    statuses: null,
    after: null,
    size: 50,
    ...changes,
  };
}

const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

/** What a page may read: its rows, their statuses in the queue and in each day since, and what the first event of a partition costs. */
const pageReads = 1500;

describe.each([
  ['without statistics', false],
  ['with fresh statistics', true],
])('on 50,000 events and 150,000 attempts %s, reads no more than its page for', (_name, analyse) => {
  beforeAll(async () => {
    if (analyse) {
      await database.admin.query({ text: 'analyze event.event' });
      await database.admin.query({ text: 'analyze webhook.finished_attempt' });
      await database.admin.query({ text: 'analyze webhook.open_attempt' });
      await database.admin.query({ text: 'analyze webhook.subscription_health' });
    }
  });

  const eventCases: [name: string, changes: () => Partial<EventsPageRequest>, shown: number, readsMax: number][] = [
    ['the newest events', () => ({}), 100, pageReads],
    ['events from days ago', () => ({ until: hoursAgo(72) }), 100, pageReads],
    ['the events of a rare type', () => ({ eventTypeNames: [history.eventTypeNames[2]] }), 100, pageReads],
    ['the events of several types', () => ({ eventTypeNames: history.eventTypeNames }), 100, 2 * pageReads],
    ['the events of an unknown type', () => ({ eventTypeNames: ['no.such.type'] }), 0, 100],
    ['events with a label that many have', () => ({ labels: { tenant: 't3' }, size: 20 }), 20, 3 * pageReads],
    ['events with a label that few have: its window', () => ({ labels: { rare: 'yes' } }), 10, 12_000],
    ['events with a label that none has: its window', () => ({ labels: { none: 'x' } }), 0, 12_000],
    ['successful events', () => ({ statuses: ['successful'], until: hoursAgo(48) }), 100, 2 * pageReads],
    ['failed events', () => ({ statuses: ['failed', 'partially_failed'] }), 100, 12_000],
    ['events that wait', () => ({ statuses: ['waiting', 'pending'] }), 100, 10_000],
    ['events that matched nothing: its window', () => ({ statuses: ['no_match'] }), 10, 6000],
  ];
  test.each(eventCases)('%s', async (_case, changes, shown, readsMax) => {
    const db = openTestPool(database.runtimeUrl, 1);
    let count = 0;
    const read = await countRowsRead(db, async () => {
      count = (await listEventsPage(db, eventsRequest(changes()))).events.length;
    });
    await db.end();
    expect({ count, read }).toEqual({ count: shown, read: { bySequentialScans: expect.any(Number), byIndexes: expect.any(Number) } });
    expect(read.bySequentialScans + read.byIndexes).toBeLessThanOrEqual(readsMax);
  });

  const attemptCases: [name: string, changes: () => Partial<RequestAttemptsPageRequest>, shown: number, readsMax: number][] = [
    ['the newest attempts', () => ({}), 50, pageReads],
    ['attempts from days ago', () => ({ maxCreatedAt: hoursAgo(72) }), 50, pageReads],
    ['attempts of some hours', () => ({ minCreatedAt: hoursAgo(72), maxCreatedAt: hoursAgo(71) }), 50, pageReads],
    ['attempts of a subscription', () => ({ subscriptionId: history.subscriptions[1]?.subscriptionId ?? '' }), 50, pageReads],
    ['attempts that wait', () => ({ statuses: ['waiting'] }), 50, pageReads],
    ['attempts in progress: the queue', () => ({ statuses: ['in_progress'] }), 0, 3000],
    ['failed attempts', () => ({ statuses: ['failed'] }), 50, pageReads],
    [
      'failed attempts of a subscription that has none',
      () => ({ statuses: ['failed'], subscriptionId: crypto.randomUUID() }),
      0,
      pageReads,
    ],
    ['successful attempts', () => ({ statuses: ['successful'] }), 50, pageReads],
    ['attempts of an unknown type: its windows', () => ({ eventTypeNames: ['no.such.type'] }), 0, 25_000],
  ];
  test.each(attemptCases)('%s', async (_case, changes, shown, readsMax) => {
    const db = openTestPool(database.runtimeUrl, 1);
    let count = 0;
    const read = await countRowsRead(db, async () => {
      count = (await listRequestAttemptsPage(db, attemptsRequest(changes()))).attempts.length;
    });
    await db.end();
    expect(count).toBe(shown);
    expect(read.bySequentialScans + read.byIndexes).toBeLessThanOrEqual(readsMax);
  });

  test('an attempt that waits, by its id and among those of its event, and the deliveries of that', async () => {
    const db = openTestPool(database.runtimeUrl, 1);
    const { attempts } = await listRequestAttemptsPage(db, attemptsRequest({ statuses: ['waiting'], size: 1 }));
    const [attempt] = attempts;
    if (!attempt) {
      throw new Error('No attempt waits.');
    }
    const { request_attempt_id: requestAttemptId, event_id: eventId, event_type_name: eventTypeName, created_at: createdAt } = attempt;
    const { applicationId } = history.application;
    const event = { eventId, eventTypeName, receivedAt: new Date(createdAt.getTime() - 60_000), labels: {} };
    const read = await countRowsRead(db, async () => {
      expect(await findRequestAttempt(db, { applicationId, requestAttemptId })).toMatchObject({ receiver_failures: 1 });
      expect((await listRequestAttemptsPage(db, attemptsRequest({ eventId }))).attempts).not.toHaveLength(0);
      expect(await listDeliveries(db, { applicationId, event, afterSubscriptionId: idMin, limit: 10 })).not.toHaveLength(0);
    });
    await db.end();
    expect(read.bySequentialScans + read.byIndexes).toBeLessThanOrEqual(200);
  });
});
