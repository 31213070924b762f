import { eventually } from '@postrider/testkit/eventually';
import { insertApplication, insertBacklog, insertSubscription } from '@postrider/testkit/factories';
import { type History, insertHistory } from '@postrider/testkit/history';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type EventsPageRequest, listEventsPage } from './list-events-page.ts';
import { listRequestAttemptsPage, type RequestAttemptsPageRequest } from './list-request-attempts-page.ts';

let database: TestDatabase;
let history: History;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  history = await insertHistory(database.admin, { events: 24_000, days: 4, payloadBytes: 10 });
});
afterAll(() => database.drop());

const allEvents = { eventTypeNames: null, statuses: null, since: null, until: null, labels: {}, after: null, skip: 0, size: 100 };
const allAttempts = {
  eventId: null,
  subscriptionId: null,
  eventTypeNames: null,
  minCreatedAt: null,
  maxCreatedAt: null,
  statuses: null,
  after: null,
  size: 50,
};

/** The ids of all pages, in the order that they were shown; between pages something else may happen. */
async function walkEvents(
  applicationId: string,
  changes: Partial<EventsPageRequest> = {},
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const ids: string[] = [];
  let request: EventsPageRequest | null = { applicationId, ...allEvents, ...changes };
  while (request !== null) {
    const { events, next } = await listEventsPage(database.db, request);
    ids.push(...events.map((event) => event.event_id));
    await meanwhile();
    request = next === null ? null : { ...request, after: next, skip: 0 };
  }
  return ids;
}

async function walkAttempts(
  applicationId: string,
  changes: Partial<RequestAttemptsPageRequest> = {},
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string[]> {
  const ids: string[] = [];
  let request: RequestAttemptsPageRequest | null = { applicationId, ...allAttempts, ...changes };
  while (request !== null) {
    const { attempts, next } = await listRequestAttemptsPage(database.db, request);
    ids.push(...attempts.map((attempt) => attempt.request_attempt_id));
    await meanwhile();
    request = next === null ? null : { ...request, after: next };
  }
  return ids;
}

/** Ids by a condition, in the order of lists, found in the plainest way. */
async function eventIdsWhere(condition: string, applicationId = history.application.applicationId): Promise<string[]> {
  const { rows } = await database.admin.query<{ id: string }>({
    text: `select event_id as id from event.event e where application_id = $1 and ${condition} order by received_at desc, event_id`,
    values: [applicationId],
  });
  return rows.map((row) => row.id);
}

async function attemptIdsWhere(condition: string, applicationId = history.application.applicationId): Promise<string[]> {
  const { rows } = await database.admin.query<{ id: string }>({
    text: `select request_attempt_id as id from webhook.request_attempt where application_id = $1 and ${condition} order by 1 desc`,
    values: [applicationId],
  });
  return rows.map((row) => row.id);
}

const n = "(metadata->>'n')::integer";
const isOpen = 'exists (select from webhook.open_attempt o where o.event_id = e.event_id)';
const isDue = 'exists (select from webhook.open_attempt o where o.event_id = e.event_id and o.due_at <= now())';
const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

describe('pages of events together are all that match', () => {
  const cases: [name: string, changes: () => Partial<EventsPageRequest>, condition: () => string][] = [
    ['all', () => ({ size: 1000 }), () => 'true'],
    ['of one type', () => ({ eventTypeNames: [history.eventTypeNames[2]] }), () => `event_type_name = '${history.eventTypeNames[2]}'`],
    [
      'of two types, one named twice',
      () => ({ eventTypeNames: [...history.eventTypeNames.slice(1), history.eventTypeNames[1]], size: 900 }),
      () => `event_type_name <> '${history.eventTypeNames[0]}'`,
    ],
    ['with a label beyond one window', () => ({ labels: { rare: 'yes' } }), () => `${n} % 1000 = 1`],
    ['with two labels', () => ({ labels: { rare: 'yes', tenant: 't1' } }), () => `${n} % 1000 = 1`],
    [
      'of two types with a label',
      () => ({ eventTypeNames: history.eventTypeNames.slice(0, 2), labels: { tenant: 't5' } }),
      () => `labels @> '{"tenant":"t5"}' and event_type_name <> '${history.eventTypeNames[2]}'`,
    ],
    ['of some time', () => ({ since: daysAgo(2), until: daysAgo(1) }), () => 'received_at between $2 and $3'],
    ['that matched nothing', () => ({ statuses: ['no_match'] }), () => `${n} % 50 = 7`],
    ['that failed for all', () => ({ statuses: ['failed'] }), () => `${n} % 500 = 11 and not ${isOpen}`],
    ['that failed for some', () => ({ statuses: ['partially_failed'] }), () => `${n} % 100 = 3 and not ${isOpen}`],
    [
      'that failed for some, of a label',
      () => ({ statuses: ['failed', 'partially_failed'], labels: { tenant: 't3' } }),
      () => `${n} % 100 = 3 and not ${isOpen}`,
    ],
    ['that are in the queue', () => ({ statuses: ['waiting', 'pending'] }), () => isOpen],
    ['that wait', () => ({ statuses: ['waiting'] }), () => `${isOpen} and not ${isDue}`],
    ['that are due', () => ({ statuses: ['pending', 'in_progress'] }), () => isDue],
    [
      'that are in the queue, of a type',
      () => ({ statuses: ['waiting', 'pending', 'in_progress'], eventTypeNames: [history.eventTypeNames[0]] }),
      () => `${isOpen} and event_type_name = '${history.eventTypeNames[0]}'`,
    ],
    [
      'that succeeded',
      () => ({ statuses: ['successful'], size: 1000 }),
      () => `${n} % 50 <> 7 and ${n} % 500 <> 11 and ${n} % 100 <> 3 and not ${isOpen}`,
    ],
  ];
  test.each(cases)('%s', async (_name, changes, condition) => {
    // Again where an attempt came due between the two looks.
    await eventually(async () => {
      const wanted = changes();
      const expected = await eventIdsWhere(
        condition().replace('$2', `'${wanted.since?.toISOString()}'`).replace('$3', `'${wanted.until?.toISOString()}'`),
      );
      expect(expected.length).toBeGreaterThan(0);
      expect(await walkEvents(history.application.applicationId, wanted)).toEqual(expected);
      return true;
    });
  });

  test('also of a queue too long to be walked through', async () => {
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application);
    await insertBacklog(database.admin, application, subscription, { count: 6000, payloadBytes: 10 });
    const ids = await walkEvents(application.applicationId, { statuses: ['pending'], size: 1000 });
    expect(ids).toEqual(await eventIdsWhere('true', application.applicationId));
  });

  test('also when a page is full just where its window ends', async () => {
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application);
    await insertBacklog(database.admin, application, subscription, { count: 400, payloadBytes: 10 });
    await database.admin.query({
      text: `delete from webhook.open_attempt o using (
               select event_id, row_number() over (order by received_at desc, event_id) % 2 as is_first from event.event where application_id = $1
             ) e where e.event_id = o.event_id and e.is_first = 1`,
      values: [application.applicationId],
    });
    const ids = await walkEvents(application.applicationId, { statuses: ['no_match'], size: 50 });
    const isEmpty = 'not exists (select from webhook.open_attempt o where o.event_id = e.event_id)';
    expect(ids).toEqual(await eventIdsWhere(isEmpty, application.applicationId));
  });

  test('by number, as long as nothing arrives', async () => {
    const pages = await Promise.all(
      [0, 1, 2].map((number) =>
        listEventsPage(database.db, {
          applicationId: history.application.applicationId,
          ...allEvents,
          labels: { tenant: 't5' },
          skip: number * 10,
          size: 10,
        }),
      ),
    );
    const expected = await eventIdsWhere(`labels @> '{"tenant":"t5"}'`);
    expect(pages.flatMap(({ events }) => events.map((event) => event.event_id))).toEqual(expected.slice(0, 30));
  });
});

describe('pages of attempts together are all that match', () => {
  const cases: [name: string, changes: () => Partial<RequestAttemptsPageRequest>, condition: () => string][] = [
    ['of a subscription', () => ({ subscriptionId: firstSubscription() }), () => `subscription_id = '${firstSubscription()}'`],
    [
      'failed of a subscription',
      () => ({ subscriptionId: firstSubscription(1), statuses: ['failed'] }),
      () => `subscription_id = '${firstSubscription(1)}' and status = 'failed'`,
    ],
    ['that wait', () => ({ statuses: ['waiting'] }), () => "status = 'waiting'"],
    ['that are due', () => ({ statuses: ['pending', 'in_progress'] }), () => "status = 'pending'"],
    ['that failed or wait', () => ({ statuses: ['failed', 'waiting'], size: 1000 }), () => "status in ('failed', 'waiting')"],
    ['that failed', () => ({ statuses: ['failed'], size: 1000 }), () => "status = 'failed'"],
    [
      'of a rare type, beyond one window',
      () => ({ eventTypeNames: [history.eventTypeNames[2]] }),
      () => `event_type_name = '${history.eventTypeNames[2]}'`,
    ],
    ['of some time', () => ({ minCreatedAt: daysAgo(2), maxCreatedAt: daysAgo(1.9), size: 500 }), () => 'created_at between $2 and $3'],
  ];
  const firstSubscription = (index = 0): string => history.subscriptions[index]?.subscriptionId ?? '';
  test.each(cases)('%s', async (_name, changes, condition) => {
    const wanted = changes();
    const expected = await attemptIdsWhere(
      condition().replace('$2', `'${wanted.minCreatedAt?.toISOString()}'`).replace('$3', `'${wanted.maxCreatedAt?.toISOString()}'`),
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(await walkAttempts(history.application.applicationId, wanted)).toEqual(expected);
  });

  test('of a subscription of another application: none', async () => {
    const stranger = await insertApplication(database.admin);
    expect(await walkAttempts(stranger.applicationId, { subscriptionId: firstSubscription() })).toEqual([]);
    expect(await walkAttempts(stranger.applicationId)).toEqual([]);
  });

  test('cancelled ones are failures before their rows have followed', async () => {
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application);
    await insertBacklog(database.admin, application, subscription, { count: 120, payloadBytes: 10 });
    await database.admin.query({
      text: `update webhook.subscription set disabled_at = statement_timestamp(), disabled_reason = 'by_request',
             unsettled_since = statement_timestamp() where subscription_id = $1`,
      values: [subscription.subscriptionId],
    });
    expect(await walkAttempts(application.applicationId, { statuses: ['failed'] })).toHaveLength(120);
    expect(await walkAttempts(application.applicationId, { statuses: ['pending', 'waiting'] })).toEqual([]);
    expect(await walkEvents(application.applicationId, { statuses: ['pending', 'waiting', 'failed'] })).toHaveLength(120);
  });
});

describe('while rows arrive', () => {
  /** Events of few times, so that nearly all have ties. */
  async function insertTied(applicationId: string, count: number, eventTypeName = 'order.item.created'): Promise<void> {
    await database.admin.query({
      text: `insert into event.event (application_id, event_id, received_at, occurred_at, event_type_name, payload, payload_content_type, labels, metadata)
             select $1, gen_random_uuid(), date_trunc('milliseconds', statement_timestamp()) - (i % 4) * interval '1 second', now(), $3, '', 'text/plain', '{"a":"b"}', '{}'
             from generate_series(1, $2::integer) i`,
      values: [applicationId, count, eventTypeName],
    });
  }

  const cases: [name: string, changes: Partial<EventsPageRequest>][] = [
    ['all events', {}],
    ['events of types', { eventTypeNames: ['order.item.created', 'order.item.deleted'] }],
    ['events with a label', { labels: { a: 'b' } }],
    ['events of a status', { statuses: ['no_match'] }],
  ];
  test.each(cases)('no page of %s loses or doubles one, ties in time included', async (_name, changes) => {
    const application = await insertApplication(database.admin);
    await insertTied(application.applicationId, 400);
    await insertTied(application.applicationId, 100, 'order.item.deleted');
    const before = await eventIdsWhere('true', application.applicationId);
    let isWalking = true;
    const arriving = (async () => {
      while (isWalking) {
        await insertTied(application.applicationId, 3);
      }
    })();
    const seen = await walkEvents(application.applicationId, { ...changes, size: 7 }, () => insertTied(application.applicationId, 2));
    isWalking = false;
    await arriving;
    expect(new Set(seen).size).toBe(seen.length);
    const known = new Set(before);
    expect(seen.filter((id) => known.has(id))).toEqual(before);
  });

  test('no page of attempts loses or doubles one that moves from the queue to the log', async () => {
    const application = await insertApplication(database.admin);
    const subscription = await insertSubscription(database.admin, application);
    await insertBacklog(database.admin, application, subscription, { count: 300, payloadBytes: 10 });
    const before = await attemptIdsWhere('true', application.applicationId);
    const seen = await walkAttempts(application.applicationId, { size: 7 }, async () => {
      await database.admin.query({
        text: `with moved as (delete from webhook.open_attempt where ctid in (select ctid from webhook.open_attempt where application_id = $1
                              order by random() limit 10) returning *)
               insert into webhook.finished_attempt (application_id, request_attempt_id, event_id, event_received_at, subscription_id,
                                                     created_at, due_at, finished_at, succeeded_at, retry_count, event_type_name)
               select application_id, request_attempt_id, event_id, event_received_at, subscription_id, created_at, due_at, now(), now(),
                      retry_count, event_type_name from moved`,
        values: [application.applicationId],
      });
      await insertBacklog(database.admin, application, subscription, { count: 2, payloadBytes: 10 });
    });
    expect(new Set(seen).size).toBe(seen.length);
    const known = new Set(before);
    expect(seen.filter((id) => known.has(id))).toEqual(before);
  });
});
