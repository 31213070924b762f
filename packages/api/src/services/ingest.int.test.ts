import { setTimeout as wait } from 'node:timers/promises';
import { openPool } from '@postrider/shared/database/pool';
import { ensurePartitions } from '@postrider/shared/database/queries/ensure-partitions';
import { newId } from '@postrider/shared/domain/ids';
import { insertApplication, insertSubscription, type TestApplication } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ingestGroup, type NewEvent, prepareEvent } from './ingest-events.ts';
import { IngestionOverloadedError } from './ingest-pressure.ts';
import { createIngestionBatcher, type IngestionBatcher } from './ingestion-batcher.ts';
import { settleSubscriptions } from './settle-subscription.ts';

let database: TestDatabase;
let application: TestApplication;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  application = await insertApplication(database.admin);
});
afterAll(() => database.drop());

function newEvent(changes: Partial<NewEvent> = {}): NewEvent {
  return {
    applicationId: application.applicationId,
    eventId: null,
    eventTypeName: application.eventTypeName,
    payload: Buffer.from('{}'),
    payloadContentType: 'application/json',
    occurredAt: new Date('2026-01-01T00:00:00Z'),
    labels: { tenant: 'acme' },
    metadata: {},
    ip: '192.0.2.1',
    applicationSecretId: null,
    ...changes,
  };
}

function ingest(...events: NewEvent[]) {
  return ingestGroup(database.db, events.map(prepareEvent), false);
}

function givenBatcher(notified: number[] = []): IngestionBatcher {
  return createIngestionBatcher({
    ingestGroup: (events, isResent) => ingestGroup(database.db, events, isResent),
    ensurePartitions: () => ensurePartitions(database.db),
    notify: ({ poolIds }) => notified.push(...poolIds),
    wait,
    report: { groupIngested() {}, groupResent() {} },
    now: () => performance.now(),
  });
}

async function attemptsOf(eventId: string): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>({
    text: 'select count(*)::integer as count from webhook.open_attempt where event_id = $1',
    values: [eventId],
  });
  return rows[0]?.count ?? 0;
}

describe('idempotency', () => {
  test('of two equal ids in one group the first wins', async () => {
    const eventId = newId();
    const { results } = await ingest(newEvent({ eventId }), newEvent({ eventId }), newEvent({ eventId, payload: Buffer.from('[]') }));
    expect(results).toMatchObject([
      { kind: 'ingested', eventId },
      { kind: 'duplicate', sameContent: true },
      { kind: 'duplicate', sameContent: false },
    ]);
  });

  test('a later event takes the id that a refused one of its group had', async () => {
    const eventId = newId();
    const { results } = await ingest(newEvent({ eventId, eventTypeName: 'no.such.type' }), newEvent({ eventId }));
    expect(results.map(({ kind }) => kind)).toEqual(['event_type_missing', 'ingested']);
  });

  test('a repeated id is a duplicate that tells whether its content is the same', async () => {
    const eventId = newId();
    await ingest(newEvent({ eventId, labels: { a: '1', b: '2' } }));
    const { results } = await ingest(newEvent({ eventId, labels: { b: '2', a: '1' } }), newEvent({ eventId, labels: {} }));
    expect(results).toMatchObject([
      { kind: 'duplicate', sameContent: true },
      { kind: 'duplicate', sameContent: false },
    ]);
  });

  test('a group that is sent again after its commit succeeds with its own rows', async () => {
    const events = [newEvent(), newEvent()].map(prepareEvent);
    const first = await ingestGroup(database.db, events, false);
    const again = await ingestGroup(database.db, events, true);
    expect(again.results).toEqual(first.results);
  });

  test('the same id in another application is another event', async () => {
    const other = await insertApplication(database.admin);
    const eventId = newId();
    const { results } = await ingest(newEvent({ eventId }), newEvent({ eventId, applicationId: other.applicationId }));
    expect(results.map(({ kind }) => kind)).toEqual(['ingested', 'ingested']);
  });

  test('the same 500 ids in opposite order from two instances make one event each, without deadlocks', async () => {
    const ids = Array.from({ length: 500 }, newId);
    const instances = [
      { batcher: givenBatcher(), order: ids },
      { batcher: givenBatcher(), order: ids.toReversed() },
    ];
    const results = await Promise.all(
      instances.flatMap(({ batcher, order }) => order.map((eventId) => batcher.ingest(newEvent({ eventId })))),
    );
    expect(results.filter(({ kind }) => kind === 'ingested')).toHaveLength(500);
    expect(results.filter((result) => result.kind === 'duplicate' && result.sameContent)).toHaveLength(500);
  });
});

describe('fan-out', () => {
  test('makes an attempt for each subscription whose labels are all on the event', async () => {
    const matching = await Promise.all(
      [{}, { tenant: 'acme' }, { tenant: 'acme', region: 'eu' }].map((labels) =>
        insertSubscription(database.admin, application, { labels }),
      ),
    );
    await insertSubscription(database.admin, application, { labels: { tenant: 'other' } });
    await insertSubscription(database.admin, application, { labels: { tenant: 'acme', missing: 'x' } });
    const { results, poolIds } = await ingest(newEvent({ labels: { tenant: 'acme', region: 'eu' } }), newEvent({ labels: {} }));
    const counts = await Promise.all(results.map((result) => attemptsOf(result.kind === 'ingested' ? result.eventId : '')));
    expect(counts).toEqual([matching.length, 1]);
    expect(poolIds).toEqual([0]);
  });

  test('an event that matches nothing is stored all the same', async () => {
    const lonely = await insertApplication(database.admin);
    const { results, poolIds } = await ingest(newEvent({ applicationId: lonely.applicationId }));
    expect(results).toMatchObject([{ kind: 'ingested' }]);
    expect(poolIds).toEqual([]);
  });

  test('gives each thousand attempts of a group a due time of its own', async () => {
    const busy = await insertApplication(database.admin);
    await Promise.all(Array.from({ length: 25 }, () => insertSubscription(database.admin, busy)));
    await ingest(...Array.from({ length: 100 }, () => newEvent({ applicationId: busy.applicationId })));
    const { rows } = await database.admin.query<{ count: number }>({
      text: 'select count(*)::integer as count from webhook.open_attempt where application_id = $1 group by due_at',
      values: [busy.applicationId],
    });
    expect(rows.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([500, 1000, 1000]);
  });

  test('gives each attempt of a group an id of version 7 that tells when it was made', async () => {
    const busy = await insertApplication(database.admin);
    await Promise.all(Array.from({ length: 10 }, () => insertSubscription(database.admin, busy)));
    const { results } = await ingest(...Array.from({ length: 50 }, () => newEvent({ applicationId: busy.applicationId })));
    const { rows } = await database.admin.query<{ id: string }>({
      text: 'select request_attempt_id as id from webhook.open_attempt where application_id = $1',
      values: [busy.applicationId],
    });
    const [first] = results;
    expect(new Set(rows.map(({ id }) => id)).size).toBe(500);
    expect(rows.filter(({ id }) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toEqual([]);
    expect(new Set(rows.map(({ id }) => Number.parseInt(id.replace('-', '').slice(0, 12), 16)))).toEqual(
      new Set([first?.kind === 'ingested' ? Date.parse(first.receivedAt) : null]),
    );
  });
});

describe('a missing partition', () => {
  async function dropPartition(table: string): Promise<void> {
    const { rows } = await database.admin.query<{ name: string }>({
      text: `select '${table}_' || to_char(statement_timestamp() at time zone 'UTC', 'YYYYMMDD') as name`,
    });
    await database.admin.query({ text: `drop table ${rows[0]?.name}` });
  }

  test('is made on the spot, and the event is there once', async () => {
    await dropPartition('event.event');
    const result = await givenBatcher().ingest(newEvent());
    expect(result.kind).toBe('ingested');
    const { rows } = await database.admin.query({
      text: 'select event_id from event.event where event_id = $1',
      values: [result.kind === 'ingested' ? result.eventId : null],
    });
    expect(rows).toHaveLength(1);
  });

  test('is made beside a report that holds a lock on the table, and ingest does not wait for it', async () => {
    const lastDay = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    await database.admin.query({ text: `drop table event.event_${lastDay}` });
    const report = new Client({ connectionString: database.superuserUrl });
    await report.connect();
    await report.query('begin; select count(*) from event.event');

    const [made, result] = await Promise.all([ensurePartitions(database.db), givenBatcher().ingest(newEvent())]);
    const held = await report.query(
      "select count(*)::integer as held from pg_locks where relation = 'event.event'::regclass and pid = pg_backend_pid()",
    );
    await report.query('rollback');
    await report.end();

    expect(made).toBe(1);
    expect(result.kind).toBe('ingested');
    expect(held.rows[0]).toEqual({ held: 1 });
  });
});

describe('the batcher', () => {
  test('shares statements between events that arrive together and answers each', async () => {
    const groups: number[] = [];
    const batcher = createIngestionBatcher({
      ingestGroup(events, isResent) {
        groups.push(events.length);
        return ingestGroup(database.db, events, isResent);
      },
      ensurePartitions: () => ensurePartitions(database.db),
      notify() {},
      wait,
      report: { groupIngested() {}, groupResent() {} },
      now: () => performance.now(),
    });
    const results = await Promise.all(Array.from({ length: 450 }, () => batcher.ingest(newEvent())));
    expect(results.every(({ kind }) => kind === 'ingested')).toBe(true);
    expect(groups).toEqual([200, 200, 50]);
  });

  test('bounds groups by bytes', async () => {
    const groups: number[] = [];
    const batcher = createIngestionBatcher({
      ingestGroup(events, isResent) {
        groups.push(events.length);
        return ingestGroup(database.db, events, isResent);
      },
      ensurePartitions: () => ensurePartitions(database.db),
      notify() {},
      wait,
      report: { groupIngested() {}, groupResent() {} },
      now: () => performance.now(),
    });
    const payload = Buffer.alloc(1024 * 1024, 'x');
    await Promise.all(Array.from({ length: 10 }, () => batcher.ingest(newEvent({ payload, payloadContentType: 'text/plain' }))));
    expect(Math.max(...groups)).toBeLessThanOrEqual(4);
  });

  test('refuses what would not fit into memory', async () => {
    const batcher = givenBatcher();
    const payload = Buffer.alloc(2 * 1024 * 1024, 'x');
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, () => batcher.ingest(newEvent({ payload, payloadContentType: 'text/plain' }))),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every((result) => result.status === 'rejected' && result.reason instanceof IngestionOverloadedError)).toBe(true);
  });

  test('an event that PostgreSQL refuses fails alone', async () => {
    const batcher = givenBatcher();
    const refusal = batcher.ingest(newEvent({ labels: { broken: '\u0000' } })).then(
      () => 'ingested',
      () => 'refused',
    );
    const others = await Promise.all(Array.from({ length: 10 }, () => batcher.ingest(newEvent())));
    expect(await refusal).toBe('refused');
    expect(others.every(({ kind }) => kind === 'ingested')).toBe(true);
  });

  test('fails when the database stays away, after trying again', async () => {
    const away = openPool(
      {
        connectionString: 'postgresql://nobody@127.0.0.1:1/none',
        applicationName: 'test',
        connectionsMax: 1,
        idleTimeoutMs: 1000,
        connectionTimeoutMs: 500,
        statementTimeoutMs: 1000,
        preparedStatements: true,
      },
      (await import('pino')).pino({ level: 'silent' }),
    );
    let resends = 0;
    const batcher = createIngestionBatcher({
      ingestGroup: (events, isResent) => ingestGroup(away, events, isResent),
      ensurePartitions: () => ensurePartitions(away),
      notify() {},
      wait: () => Promise.resolve(),
      report: {
        groupIngested() {},
        groupResent() {
          resends += 1;
        },
      },
      now: () => performance.now(),
    });
    await expect(batcher.ingest(newEvent())).rejects.toThrow(/ECONNREFUSED/);
    expect(resends).toBe(4);
    await away.end();
  });
});

test('disabling cancels open attempts, and they read as failed from then on', async () => {
  const own = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, own);
  await ingest(...Array.from({ length: 30 }, () => newEvent({ applicationId: own.applicationId })));
  await database.admin.query({
    text: `update webhook.subscription set disabled_at = statement_timestamp(), disabled_reason = 'by_request', cancelled_until = statement_timestamp()
           where subscription_id = $1`,
    values: [subscription.subscriptionId],
  });
  const statuses = async () => {
    const { rows } = await database.db.query<{ status: string; reason: string; count: number }>({
      text: 'select status, reason, count(*)::integer as count from webhook.request_attempt where subscription_id = $1 group by 1, 2',
      values: [subscription.subscriptionId],
    });
    return rows;
  };
  const before = await statuses();
  await settleSubscriptions(database.db, { notify() {}, flush: () => Promise.resolve() }, [subscription.subscriptionId]);
  expect(before).toEqual([{ status: 'failed', reason: 'cancelled', count: 30 }]);
  expect(await statuses()).toEqual(before);
  const { rows } = await database.admin.query({
    text: 'select from webhook.open_attempt where subscription_id = $1',
    values: [subscription.subscriptionId],
  });
  expect(rows).toHaveLength(0);
});
